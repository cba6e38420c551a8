/** Reasons for wildcards that more than one role gives. */
export const WILDCARD_REASONS = {
  runData: 'Every run and job has its own keys under this prefix, and the same function works on all of them.',
  models:
    'Which models are used is what users say when they start a run; cross-region inference profiles call the model in each of their regions.',
  jobs: 'Bedrock chooses the ids of the jobs, so they cannot be named beforehand.',
  jobListing:
    'IAM knows no resource for listing jobs. It finds the job of an earlier attempt that ended before it stored the ARN.',
  executions: 'Users choose the names of executions when they start them.',
  taskTokens:
    'The task tokens belong to the children of the Distributed Maps, whose ARN has the label of the map behind that of the state machine.',
} as const;
