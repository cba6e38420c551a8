import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { PREFIXES } from '../contract/storage-prefixes';
import { AS_TOLD_BY_THE_FUNCTION, explainFailure, failRun } from './failure';
import { BATCH_STATE_MACHINE_NAME } from './identity';
import { INPUT, lambdaStep, RESULT } from './lambda-step';
import { processJobs } from './process-jobs';
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
    this.stateMachine.addToRolePolicy(
      new PolicyStatement({
        sid: 'ReadJobManifests',
        actions: ['s3:GetObject'],
        resources: [props.bucket.arnForObjects(`${PREFIXES.runs}/*`)],
      }),
    );
  }
}
