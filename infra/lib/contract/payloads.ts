// Written by `make contract` from crates/domain/src/contract.

/** Events that the state machines hand to functions. */
export const PAYLOADS = {
  /** preprocess: An execution of the batch orchestrator starts. */
  start: {
    action: 'start',
    fields: ['execution_name', 'execution_arn', 'started_at', 'input'],
  },
  /** preprocess: A step of a run is done. */
  nextStep: {
    action: 'next_step',
    fields: ['state'],
  },
  /** submit: A Bedrock job is to be created; the state waits for its task token. */
  submit: {
    action: undefined,
    fields: [
      'task_token',
      'redrive_count',
      'retry_count',
      'run_id',
      'execution_arn',
      'model_id',
      'invocation_type',
      'falls_back',
      'job',
    ],
  },
  /** invoke: The records of a job are to be answered on demand. */
  invoke: {
    action: undefined,
    fields: ['run_id', 'execution_arn', 'job'],
  },
  /** postprocess: A job of the first pass is over: its chunk is to be joined. */
  postprocessJob: {
    action: undefined,
    fields: ['run_id', 'execution_arn', 'job'],
  },
  /** postprocess: A chunk is to be joined with the answers of all its jobs. */
  postprocessChunk: {
    action: undefined,
    fields: ['run_id', 'execution_arn', 'chunk'],
  },
  /** finalize: A run is complete. */
  summarize: {
    action: 'summarize',
    fields: ['run_id', 'execution_arn'],
  },
  /** finalize: A run failed, with the error that Step Functions reports. */
  explainFailure: {
    action: 'explain_failure',
    fields: ['run_id', 'error'],
  },
  /** validate: An execution of the pipeline orchestrator starts. */
  validate: {
    action: 'pipeline',
    fields: ['execution_name', 'execution_arn', 'started_at', 'input'],
  },
  /** notify: All stages of a pipeline are complete. */
  pipelineSucceeded: {
    action: 'succeeded',
    fields: ['pipeline_run_id'],
  },
  /** notify: A pipeline failed, with the error that Step Functions reports. */
  pipelineFailed: {
    action: 'failed',
    fields: ['execution_name', 'execution_arn', 'started_at', 'input', 'error'],
  },
} as const;

/** Fields of the functions' results that the state machines read. */
export const RESULTS = {
  /** preprocess: the object that goes from state to state of a run. */
  step: [
    'step',
    'run_id',
    'bucket',
    'execution_arn',
    'manifest_key',
    'max_concurrency',
    'model_id',
    'invocation_type',
    'falls_back',
  ],
  /** invoke: whether all records of the job are answered. */
  invoked: ['done'],
  /** finalize, notify: the error and the cause that an execution ends with. */
  explanation: ['error', 'cause'],
  /** validate: the object that goes from state to state of a pipeline. */
  pipeline: ['pipeline_run_id', 'stages'],
  /** validate: an item of `stages`. */
  stage: ['index', 'execution_name', 'input'],
} as const;
