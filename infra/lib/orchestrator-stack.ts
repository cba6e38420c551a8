import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { JobEvents } from './bedrock/job-events';
import { BedrockServiceRole } from './bedrock/service-role';
import { BrokenOffRuns } from './events/broken-off-runs';
import { Endings } from './events/endings';
import { Reconciliation } from './events/reconciliation';
import { Uploads } from './events/uploads';
import { DownloadFunction } from './functions/download';
import { FinalizeFunction } from './functions/finalize';
import { InvokeFunction } from './functions/invoke';
import { JobStatusFunction } from './functions/job-status';
import { NotifyFunction } from './functions/notify';
import { PostprocessFunction } from './functions/postprocess';
import { PreprocessFunction } from './functions/preprocess';
import { ReconcileFunction } from './functions/reconcile';
import { StopJobsFunction } from './functions/stop-jobs';
import { SubmitFunction } from './functions/submit';
import { TriggerFunction } from './functions/trigger';
import { ValidateFunction } from './functions/validate';
import { LinkKey } from './links/link-key';
import { Notifications } from './notifications/notifications';
import { PipelineStateMachine } from './pipeline-state-machine/pipeline-state-machine';
import type { Settings } from './settings/keys';
import { BatchStateMachine } from './state-machine/batch-state-machine';
import { DataBucket } from './storage/data-bucket';
import { TaskTable } from './storage/task-table';

/** Props of `OrchestratorStack`. */
export interface OrchestratorStackProps extends StackProps {
  readonly settings: Settings;
}

/** The whole service, wired together here and nowhere else. */
export class OrchestratorStack extends Stack {
  constructor(scope: Construct, id: string, props: OrchestratorStackProps) {
    super(scope, id, { description: 'Orchestrator for Amazon Bedrock batch inference', ...props });
    const { settings } = props;

    const { bucket } = new DataBucket(this, 'Data');
    const { table } = new TaskTable(this, 'Tasks');
    const bedrockRole = new BedrockServiceRole(this, 'BedrockServiceRole', { bucket }).role;

    const shared = { bucket, table, settings };
    const preprocess = new PreprocessFunction(this, 'Preprocess', shared);
    const submit = new SubmitFunction(this, 'Submit', { ...shared, bedrockRole });
    const jobStatus = new JobStatusFunction(this, 'JobStatus', shared);
    const postprocess = new PostprocessFunction(this, 'Postprocess', shared);
    const invoke = new InvokeFunction(this, 'Invoke', shared);
    const finalize = new FinalizeFunction(this, 'Finalize', shared);

    const reconcile = new ReconcileFunction(this, 'Reconcile', shared);
    const stopJobs = new StopJobsFunction(this, 'StopJobs', shared);

    new JobEvents(this, 'JobEvents', { source: settings.bedrockEventSource, handler: jobStatus.function });
    new Reconciliation(this, 'Reconciliation', { handler: reconcile.function, minutes: settings.reconcileMinutes });

    const batch = new BatchStateMachine(this, 'Batch', {
      bucket,
      jobTimeoutHours: settings.bedrockBatchInferenceTimeoutHours,
      functions: {
        preprocess: preprocess.function,
        submit: submit.function,
        postprocess: postprocess.function,
        invoke: invoke.function,
        finalize: finalize.function,
      },
    });
    new BrokenOffRuns(this, 'BrokenOffRuns', { stateMachine: batch.stateMachine, handler: stopJobs.function });

    const { topic } = new Notifications(this, 'Notifications', { emails: settings.notificationEmails });
    const download = settings.downloadLinks
      ? new DownloadFunction(this, 'Download', { ...shared, key: new LinkKey(this, 'LinkKey').secret })
      : undefined;
    const notify = new NotifyFunction(this, 'Notify', { ...shared, topic, links: download?.links });
    const validate = new ValidateFunction(this, 'Validate', shared);
    const pipelines = new PipelineStateMachine(this, 'Pipelines', {
      batch: batch.stateMachine,
      functions: { validate: validate.function, notify: notify.function },
    });
    new Endings(this, 'Endings', {
      pipelines: pipelines.stateMachine,
      runs: settings.notifyRuns ? batch.stateMachine : undefined,
      handler: notify.function,
    });

    const trigger = new TriggerFunction(this, 'Trigger', {
      ...shared,
      topic,
      batch: batch.stateMachine,
      pipelines: pipelines.stateMachine,
    });
    new Uploads(this, 'Uploads', { bucket, handler: trigger.function });

    new CfnOutput(this, 'bucketName', { value: bucket.bucketName, description: 'Bucket of inputs, answers and plans' });
    new CfnOutput(this, 'stepFunctionName', {
      value: batch.stateMachine.stateMachineName,
      description: 'State machine to start runs with',
    });
    new CfnOutput(this, 'stepFunctionArn', {
      value: batch.stateMachine.stateMachineArn,
      description: 'ARN of the state machine',
    });
    new CfnOutput(this, 'pipelineStateMachineName', {
      value: pipelines.stateMachine.stateMachineName,
      description: 'State machine to start pipelines with',
    });
    new CfnOutput(this, 'pipelineStateMachineArn', {
      value: pipelines.stateMachine.stateMachineArn,
      description: 'ARN of the state machine of pipelines',
    });
    new CfnOutput(this, 'notificationTopicArn', {
      value: topic.topicArn,
      description: 'Topic that says how pipelines and runs ended',
    });
    if (download) {
      new CfnOutput(this, 'downloadUrl', { value: download.links.url, description: 'Where links in emails lead' });
    }
    new CfnOutput(this, 'taskTableName', { value: table.tableName, description: 'Table of the Bedrock jobs' });
  }
}
