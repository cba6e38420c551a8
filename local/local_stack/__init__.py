"""The complete service on this machine: MiniStack as AWS, `bedrock-simulator` as Bedrock, and our CDK app deployed to them."""
