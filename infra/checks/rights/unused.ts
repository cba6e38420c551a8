/*
 * Grants that the end-to-end tests do not use, or not in each run, each with the reason why the role has it. A grant that is
 * neither used nor here fails the check, and so does a pattern here that no grant matches. A grant is written as
 * `<role> <action> <resource>`, with logical ids in the place of names.
 */
export const UNUSED_GRANTS: readonly { readonly grants: RegExp; readonly reason: string }[] = [
  {
    grants: /^\w+Role logs:(CreateLogStream|PutLogEvents) /,
    reason:
      'Lambda writes the logs of a function with the role of the function, and the local stack without a request.',
  },
  {
    grants: /^\w+StateMachineRole logs:/,
    reason: 'Step Functions delivers the logs of executions; the local stack writes none.',
  },
  {
    grants: /^\w+Role xray:/,
    reason: 'Lambda and Step Functions send traces; the local stack sends none.',
  },
  {
    grants: /^\w+StateMachineRole lambda:InvokeFunction .*:function:<\w+>$/,
    reason:
      'States invoke versions of the functions. Executions that began before an update to that invoke the functions themselves.',
  },
  {
    grants: /^BatchStateMachineRole states:(Describe|Stop|Redrive)Execution /,
    reason: 'A Distributed Map watches, stops and redrives its children; the local stack does it without requests.',
  },
  {
    grants: /^PipelinesStateMachineRole (states:(Describe|Stop)Execution|events:(PutTargets|PutRule|DescribeRule)) /,
    reason:
      'startExecution.sync watches and stops the execution that it waits for; the local stack does it without requests.',
  },
  {
    grants: /^\w+Role sqs:(SendMessage|GetQueueAttributes|GetQueueUrl) .*<\w+DeadLetters>$/,
    reason:
      'Lambda sends events on which a function fails every time; the local stack does not perform failure destinations.',
  },
  {
    grants: /^TriggerRole sqs:(ReceiveMessage|ChangeMessageVisibility|DeleteMessage|GetQueueUrl|GetQueueAttributes) /,
    reason:
      'Lambda polls the queue of a function with the role of the function, and the local stack without a request.',
  },
  {
    grants: /^\w+Role s3:AbortMultipartUpload /,
    reason: 'The end of an upload in parts that failed. The files of the tests are too small for parts.',
  },
  {
    grants: /^(Finalize|Trigger|Classifier)Role s3:ListBucket /,
    reason: 'Without it S3 reports a missing key as a forbidden one. The local stack does not make that difference.',
  },
  {
    grants: /^(Submit|Invoke)Role bedrock:(CreateModelInvocationJob|InvokeModel) .*:application-inference-profile\/\*$/,
    reason: 'Users name inference profiles of their own account by ARN, which the simulator does not have.',
  },
  {
    grants: /^(Submit|JobStatus|Reconcile)Role states:SendTask\w+ .*<BatchStateMachine>$/,
    reason:
      'All tokens belong to children of maps, as the local stack sees it. AWS does not document whether it compares such a token with the state machine or with its map.',
  },
  {
    grants: /^SubmitRole bedrock:StopModelInvocationJob /,
    reason: 'For a job that is created while its run is stopped, which the tests hit in some runs only.',
  },
  {
    grants: /^ReconcileRole states:SendTask(Failure|Heartbeat) .*<BatchStateMachine>\/\*$/,
    reason: 'It settles a job as job-status does. In the tests the jobs whose events are lost mostly complete.',
  },
  {
    grants: /^ReconcileRole bedrock:(StopModelInvocationJob|ListModelInvocationJobs) /,
    reason: 'For jobs of runs that ended before their ARN was stored, which the tests hit in some runs only.',
  },
  {
    grants: /^NotifyRole states:DescribeExecution .*<PipelinesStateMachine>:\*$/,
    reason:
      'For a pipeline that was stopped, if its event has neither error nor cause; those of the local stack have them.',
  },
  {
    grants: /^TriggerRole states:DescribeExecution /,
    reason:
      'For uploads that find all slots taken, and for events that are delivered twice: which execution it is depends on time.',
  },
];
