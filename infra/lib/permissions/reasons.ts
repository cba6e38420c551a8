/** Reasons for wildcards that several roles share. */
export const WILDCARD_REASONS = {
  runData: 'Every run and job has its own keys under this prefix, and the same function processes all of them.',
  models:
    'Users choose the models when they start a run; cross-region inference profiles call the model in each of their regions.',
  jobs: 'Bedrock chooses the ids of the jobs, so they cannot be named in advance.',
  jobListing:
    'IAM has no resource type for listing jobs. The list finds the job of an earlier attempt that ended before it stored the ARN.',
  profileListing:
    'IAM has no resource type for listing inference profiles. The list tells which profiles of a model exist in the region.',
  quotaListing:
    'IAM has no resource type for listing quotas. The list tells how many batch jobs of a model the account may have at once.',
  executions: 'Users choose the names of executions when they start them.',
  taskTokens:
    'The task tokens belong to the children of the Distributed Maps, whose ARN has the label of the map after that of the state machine.',
} as const;
