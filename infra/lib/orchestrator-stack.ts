import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Alarms } from './alarms/alarms';
import { JobEvents } from './bedrock/job-events';
import { BedrockServiceRole } from './bedrock/service-role';
import { VERSION } from './contract/version';
import { AbortedRunEvents } from './events/aborted-run-events';
import { ExecutionEndEvents } from './events/execution-end-events';
import { Reconciliation } from './events/reconciliation';
import { UploadEvents } from './events/upload-events';
import { ClassifierFunction } from './functions/classifier';
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
import { TRIGGER_TIMEOUT, TriggerFunction } from './functions/trigger';
import { ValidateFunction } from './functions/validate';
import { LinkKey } from './links/link-key';
import { Notifications } from './notifications/notifications';
import { SUBSCRIBE_TO_MODELS } from './permissions/marketplace';
import { permit } from './permissions/permission';
import { PipelineStateMachine } from './pipeline-state-machine/pipeline-state-machine';
import type { Settings } from './settings/keys';
import { stackName } from './settings/names';
import { BatchStateMachine } from './state-machine/batch-state-machine';
import { DataBucket } from './storage/data-bucket';
import { JobTable } from './storage/job-table';

/** Props of `OrchestratorStack`. */
export interface OrchestratorStackProps extends StackProps {
  readonly settings: Settings;
}

/**
 * The whole service. Its parts are connected here and nowhere else.
 *
 * The ids of the constructs stay as they are, even where a class has a better name by now: CloudFormation identifies
 * deployed resources by them, and a new id would replace the queue, the rule or the table behind it.
 */
export class OrchestratorStack extends Stack {
  constructor(scope: Construct, props: OrchestratorStackProps) {
    super(scope, stackName(props.settings), {
      description: 'Orchestrator for Amazon Bedrock batch inference',
      tags: { ...props.settings.tags },
      ...props,
    });
    const { settings } = props;

    const { bucket } = new DataBucket(this, 'Data', settings);
    const { table } = new JobTable(this, 'Tasks', settings);
    const bedrockRole = new BedrockServiceRole(this, 'BedrockServiceRole', { settings, bucket }).role;

    const shared = { bucket, table, settings };
    const preprocess = new PreprocessFunction(this, 'Preprocess', shared);
    const submit = new SubmitFunction(this, 'Submit', { ...shared, bedrockRole });
    const jobStatus = new JobStatusFunction(this, 'JobStatus', shared);
    const postprocess = new PostprocessFunction(this, 'Postprocess', shared);
    const invoke = new InvokeFunction(this, 'Invoke', shared);
    const finalize = new FinalizeFunction(this, 'Finalize', shared);

    if (settings.marketplaceSubscriptions) permit(bedrockRole, SUBSCRIBE_TO_MODELS);

    const reconcile = new ReconcileFunction(this, 'Reconcile', shared);
    const stopJobs = new StopJobsFunction(this, 'StopJobs', shared);

    const jobEvents = new JobEvents(this, 'JobEvents', {
      settings,
      source: settings.bedrockEventSource,
      handler: jobStatus.function,
    });
    new Reconciliation(this, 'Reconciliation', { handler: reconcile.function, minutes: settings.reconcileMinutes });

    const batch = new BatchStateMachine(this, 'Batch', {
      settings,
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
    const abortedRuns = new AbortedRunEvents(this, 'BrokenOffRuns', {
      settings,
      stateMachine: batch.stateMachine,
      handler: stopJobs.function,
    });

    const { topic } = new Notifications(this, 'Notifications', {
      settings,
      emails: settings.notificationEmails,
    });
    const download = settings.downloadLinks
      ? new DownloadFunction(this, 'Download', { ...shared, key: new LinkKey(this, 'LinkKey', settings).secret })
      : undefined;
    const notify = new NotifyFunction(this, 'Notify', { ...shared, topic, links: download?.links });
    const validate = new ValidateFunction(this, 'Validate', shared);
    const pipelines = new PipelineStateMachine(this, 'Pipelines', {
      settings,
      batch: batch.stateMachine,
      functions: { validate: validate.function, notify: notify.function },
    });
    const executionEnds = new ExecutionEndEvents(this, 'Endings', {
      settings,
      pipelines: pipelines.stateMachine,
      runs: settings.notifyRuns ? batch.stateMachine : undefined,
      handler: notify.function,
    });

    const uploads = new UploadEvents(this, 'Uploads', { settings, bucket, handlerTimeout: TRIGGER_TIMEOUT });
    const trigger = new TriggerFunction(this, 'Trigger', {
      ...shared,
      topic,
      queue: uploads.queue,
      batch: batch.stateMachine,
      pipelines: pipelines.stateMachine,
    });

    const alarms = new Alarms(this, 'Alarms', {
      settings,
      // By the names that the runbook has for them.
      deadLetters: {
        JobEvents: jobEvents.deadLetters,
        AbortedRuns: abortedRuns.deadLetters,
        Endings: executionEnds.deadLetters,
        Uploads: uploads.deadLetters,
      },
      functions: {
        'job-status': jobStatus.function,
        'stop-jobs': stopJobs.function,
        notify: notify.function,
        trigger: trigger.function,
        ...(download && { download: download.function }),
      },
      reconcile,
      stateMachines: [batch.stateMachine, pipelines.stateMachine],
    });

    // Nothing in the stack invokes it: users do, by its name.
    new ClassifierFunction(this, 'Classifier', { ...shared, batch: batch.stateMachine });

    new CfnOutput(this, 'bucketName', { value: bucket.bucketName, description: 'Bucket of inputs, answers and plans' });
    new CfnOutput(this, 'stepFunctionName', {
      value: batch.stateMachine.stateMachineName,
      description: 'Name of the state machine of runs',
    });
    new CfnOutput(this, 'stepFunctionArn', {
      value: batch.stateMachine.stateMachineArn,
      description: 'ARN of the state machine of runs',
    });
    new CfnOutput(this, 'pipelineStepFunctionName', {
      value: pipelines.stateMachine.stateMachineName,
      description: 'Name of the state machine of pipelines, as the Python sample calls the output',
    });
    new CfnOutput(this, 'pipelineStateMachineName', {
      value: pipelines.stateMachine.stateMachineName,
      description: 'Name of the state machine of pipelines',
    });
    new CfnOutput(this, 'pipelineStateMachineArn', {
      value: pipelines.stateMachine.stateMachineArn,
      description: 'ARN of the state machine of pipelines',
    });
    new CfnOutput(this, 'notificationTopicArn', {
      value: topic.topicArn,
      description: 'Topic of the emails about pipelines and runs that ended',
    });
    new CfnOutput(this, 'alarmTopicArn', { value: alarms.topic.topicArn, description: 'Topic of the alarms' });
    if (download) {
      new CfnOutput(this, 'downloadUrl', { value: download.links.url, description: 'URL of the links in emails' });
    }
    new CfnOutput(this, 'version', { value: VERSION, description: 'Version of the functions' });
    new CfnOutput(this, 'taskTableName', { value: table.tableName, description: 'Name of the job table' });
  }
}
