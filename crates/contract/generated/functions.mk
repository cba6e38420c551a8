# Written by `make contract` from crates/domain/src/contract.
FUNCTIONS := preprocess submit job-status postprocess invoke finalize reconcile stop-jobs validate notify trigger download classifier
