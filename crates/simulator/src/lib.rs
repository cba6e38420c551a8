//! Bedrock's control plane and runtime over HTTP, for local runs and tests.
