"""Requests of functions and state machines, as AWS would see them: recorded, and validated against botocore's models.

`parser.py` turns an HTTP request into an operation and its parameters, `model_rules.py` compares these with the model,
`record.py` keeps what was seen, `bedrock_tap.py` listens to the requests that do not pass through MiniStack, `billing.py`
counts what else is billed, and `watch.py` installs all of it in MiniStack.
"""
