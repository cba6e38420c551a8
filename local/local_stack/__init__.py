"""The whole service on this machine: MiniStack for AWS, `bedrock-simulator` for Bedrock, and our CDK app deployed to it."""
