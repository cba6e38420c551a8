import { ArnFormat, Duration, Fn, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { PREFIXES } from '../contract/storage-prefixes';
import { WILDCARD_REASONS } from '../permissions/reasons';
import { acknowledgeWildcards } from '../permissions/wildcard';
import { AS_TOLD_BY_THE_FUNCTION, explainFailure, failRun } from './failure';
import { BATCH_STATE_MACHINE_NAME } from './identity';
import { INPUT, lambdaStep, RESULT } from './lambda-step';
import { JOBS_MAP_LABEL, processJobs } from './process-jobs';
import { WHEN_CRASHED_OR_LATE, WHEN_THROTTLED, WHEN_TRANSIENT } from './retries';

/** Props of `BatchStateMachine`. */
export interface BatchStateMachineProps {
  readonly bucket: IBucket;
  /** The timeout given to each Bedrock job. */
  readonly jobTimeoutHours: number;
  /** The functions behind the steps. */
  readonly functions: {
    readonly preprocess: IFunction;
    readonly submit: IFunction;
    readonly postprocess: IFunction;
    readonly finalize: IFunction;
  };
}

/**
 * The batch orchestrator: one execution is one run.
 *
 * Preprocess → ProcessJobs (a child per job: SubmitJob → PostprocessJob) → Finalize. A run that fails ends in FailRun,
 * with an error and a cause that say why.
 */
export class BatchStateMachine extends Construct {
  readonly stateMachine: StateMachine;

  constructor(scope: Construct, id: string, props: BatchStateMachineProps) {
    super(scope, id);
    const { functions } = props;

    const fail = failRun(this);
    const explain = explainFailure(this, functions.finalize, fail);

    const preprocess = lambdaStep(this, 'Preprocess', {
      function: functions.preprocess,
      payload: {
        execution_name: '{% $states.context.Execution.Name %}',
        execution_arn: '{% $states.context.Execution.Id %}',
        started_at: '{% $states.context.Execution.StartTime %}',
        input: INPUT,
      },
      output: RESULT,
      timeout: Duration.minutes(15),
      retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
    });
    // Nothing was submitted, so there is nothing to look up: what the function said is the reason.
    preprocess.addCatch(fail, { outputs: AS_TOLD_BY_THE_FUNCTION });

    const jobs = processJobs(this, {
      bucket: props.bucket,
      submit: functions.submit,
      postprocess: functions.postprocess,
      jobTimeoutHours: props.jobTimeoutHours,
    });
    jobs.addCatch(explain, { resultPath: '$.failure' });

    const finalize = lambdaStep(this, 'Finalize', {
      function: functions.finalize,
      payload: {
        action: 'summarize',
        run_id: '{% $states.input.run_id %}',
        execution_name: '{% $states.context.Execution.Name %}',
        started_at: '{% $states.context.Execution.StartTime %}',
      },
      output: RESULT,
      timeout: Duration.minutes(5),
      retries: [WHEN_THROTTLED, WHEN_TRANSIENT, WHEN_CRASHED_OR_LATE],
    });
    finalize.addCatch(explain, { outputs: '{% $merge([$states.input, {"failure": $states.errorOutput}]) %}' });

    this.stateMachine = new StateMachine(this, 'StateMachine', {
      stateMachineName: BATCH_STATE_MACHINE_NAME,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromChainable(preprocess.next(jobs).next(finalize)),
      tracingEnabled: true,
      logs: {
        destination: new LogGroup(this, 'Logs', {
          logGroupName: '/aws/vendedlogs/states/bedrock-batch-orchestrator',
          retention: RetentionDays.ONE_MONTH,
          removalPolicy: RemovalPolicy.DESTROY,
        }),
        // Not ALL: the execution history already has every event, and the inputs may hold what nobody should log.
        level: LogLevel.ERROR,
        includeExecutionData: false,
      },
    });
    const manifests = props.bucket.arnForObjects(`${PREFIXES.runs}/*`);
    this.stateMachine.addToRolePolicy(
      new PolicyStatement({ sid: 'ReadJobManifests', actions: ['s3:GetObject'], resources: [manifests] }),
    );

    // The rest of the role's policy is CDK's own.
    acknowledgeWildcards(this, [manifests], WILDCARD_REASONS.runData);
    acknowledgeWildcards(
      this,
      Object.values(functions).map(({ functionArn }) => `${functionArn}:*`),
      'Versions and aliases of the functions that the steps invoke, which CDK grants with the function.',
    );
    acknowledgeWildcards(this, ['*'], 'IAM knows no resources for X-Ray and for the delivery of vended logs.');
    const name = Fn.select(6, Fn.split(':', this.stateMachine.stateMachineArn));
    const executions = Stack.of(this).formatArn({
      service: 'states',
      resource: 'execution',
      resourceName: name,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    acknowledgeWildcards(
      this,
      [`${executions}:*`, `${executions}/${JOBS_MAP_LABEL}:*`],
      'A Distributed Map starts, watches and stops its children, whose names Step Functions makes up.',
    );
    Validations.of(this.stateMachine).acknowledge({
      id: 'AwsSolutions-SF1',
      reason:
        'Errors are logged. The other events are in the execution history, and logging them for thousands of jobs would cost more than the transitions.',
    });
  }
}
