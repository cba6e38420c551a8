import { Aws, Duration, Validations } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  GraphWidget,
  type IMetric,
  Dashboard,
  TextWidget,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, type LogGroup, MetricFilter } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { encryptionKey } from '../permissions/encryption';
import type { Settings } from '../settings/keys';
import { metricsNamespace, resourceName } from '../settings/names';
import { runFigures } from './run-figures';

/** Props of `Alarms`. */
export interface AlarmsProps {
  readonly settings: Settings;
  /** Dead-letter queues, by the name that the runbook calls them. */
  readonly deadLetters: Readonly<Record<string, Queue>>;
  /** Functions that no state calls, by name: of their failures, no execution tells anyone. */
  readonly functions: Readonly<Record<string, LambdaFunction>>;
  /** Function that checks silent jobs, and its log. */
  readonly reconcile: { readonly function: LambdaFunction; readonly logGroup: LogGroup };
  /** State machines, for the dashboard. */
  readonly stateMachines: readonly StateMachine[];
}

/**
 * Alarms on what no email of a run reports, their topic, and a dashboard of the same figures.
 *
 * Functions that states call have no alarm: their errors are retried by design (a job that waits for its quota is one), and
 * an execution that fails reports itself.
 */
export class Alarms extends Construct {
  readonly topic: Topic;
  private readonly settings: Settings;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { settings, deadLetters, functions, reconcile } = props;
    this.settings = settings;
    this.topic = this.createTopic();

    for (const [name, queue] of Object.entries(deadLetters)) {
      this.alarm(`${name}DeadLetters`, {
        metric: queue.metricApproximateNumberOfMessagesVisible({ statistic: 'Maximum', period: PERIOD }),
        meaning: `Events of ${name} were not delivered, or their function failed on every attempt.`,
        runbook: 'Events lost, dead-letter queues',
      });
    }
    for (const [name, handler] of Object.entries(functions)) {
      this.alarm(`${name}Errors`, {
        metric: handler.metricErrors({ period: PERIOD }),
        // One failure is retried or repeated, and may be AWS's own.
        periods: 3,
        meaning: `The function ${name} has failed for a quarter of an hour.`,
        runbook: 'Events lost, dead-letter queues',
      });
    }
    this.alarm('ReconcileErrors', {
      metric: reconcile.function.metricErrors({ period: RECONCILE_PERIOD }),
      periods: 2,
      meaning: 'Silent jobs have not been checked for two hours: jobs whose events were lost stay open.',
      runbook: 'The reconciler',
    });
    // A schedule that invokes nothing fails nowhere.
    this.alarm('ReconcileSilent', {
      metric: reconcile.function.metricInvocations({ period: RECONCILE_PERIOD }),
      below: 1,
      periods: 2,
      meaning: 'The schedule has not invoked the reconciler for hours.',
      runbook: 'The reconciler',
    });
    // Single jobs that could not be checked, or were not reached in time, do not fail the function.
    const notReconciled = this.logged(reconcile.logGroup, 'JobsNotReconciled', 'job_not_reconciled', '1');
    this.alarm('JobsNotReconciled', {
      metric: notReconciled,
      periods: 2,
      meaning: 'Open jobs could not be checked for two hours.',
      runbook: 'The reconciler',
    });
    const left = this.logged(reconcile.logGroup, 'OpenJobsLeft', 'open_jobs_left', '$.fields.left');
    this.alarm('OpenJobsLeft', {
      metric: left,
      periods: 2,
      meaning: 'More open jobs are silent than the reconciler reaches, for two hours.',
      runbook: 'The reconciler',
    });
    const oldest = this.logged(
      reconcile.logGroup,
      'OldestOpenJob',
      'oldest_open_job',
      '$.fields.age_seconds',
      'Maximum',
    );
    this.alarm('OldestOpenJob', {
      metric: oldest,
      above: Duration.hours(settings.bedrockBatchInferenceTimeoutHours + HOURS_TO_STOP).toSeconds(),
      meaning: `A job is open although it should have ended: its timeout of ${settings.bedrockBatchInferenceTimeoutHours} hours is long over.`,
      runbook: 'A job is stuck',
    });
    this.createDashboard(props, [notReconciled, left], oldest);
  }

  /**
   * Creates the topic of the alarms. It is not that of the emails: CloudWatch may not use AWS's own key for SNS, which
   * encrypts that one.
   */
  private createTopic(): Topic {
    const key = encryptionKey(this, this.settings);
    const topic = new Topic(this, 'Topic', {
      topicName: resourceName(this.settings, 'bedrock-batch-alarms'),
      displayName: 'Bedrock batch inference alarms',
      enforceSSL: true,
      ...(key !== undefined && { masterKey: key }),
    });
    if (key === undefined) {
      Validations.of(topic).acknowledge({
        id: 'AwsSolutions-SNS2',
        reason:
          "CloudWatch cannot publish to a topic that AWS's own key encrypts. Messages name alarms and figures, and hold no data; with encryptionKeyArn they are encrypted.",
      });
    }
    // A topic with a policy of its own does not have the default statement that lets alarms of the account publish.
    topic.grantPublish(
      new ServicePrincipal('cloudwatch.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
    );
    for (const email of this.settings.notificationEmails) topic.addSubscription(new EmailSubscription(email));
    return topic;
  }

  /** Returns the metric of a number in lines of a log: `value` of each event of this name. */
  private logged(logGroup: LogGroup, id: string, event: string, value: string, statistic = 'Sum'): IMetric {
    const metricNamespace = metricsNamespace(this.settings);
    const filter = new MetricFilter(this, `${id}Filter`, {
      logGroup,
      filterPattern: FilterPattern.stringValue('$.fields.message', '=', event),
      metricNamespace,
      metricName: id,
      metricValue: value,
    });
    return filter.metric({ statistic, period: RECONCILE_PERIOD });
  }

  private alarm(id: string, { metric, meaning, runbook, periods = 1, below, above = 0 }: AlarmOptions): void {
    const alarm = new Alarm(this, id, {
      alarmName: resourceName(this.settings, `bedrock-batch-${id}`),
      alarmDescription: `${meaning} Runbook: "${runbook}" (docs/runbook.md).`,
      metric,
      threshold: below ?? above,
      comparisonOperator:
        below === undefined ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: periods,
      // No metric means that nothing happened: good for everything but a schedule. There it is not an alarm either, since it
      // would be raised by every first deployment; that the figures end is reported.
      treatMissingData: below === undefined ? TreatMissingData.NOT_BREACHING : TreatMissingData.MISSING,
    });
    const action = new SnsAction(this.topic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
    if (below !== undefined) alarm.addInsufficientDataAction(action);
  }

  private createDashboard(props: AlarmsProps, reconciled: IMetric[], oldest: IMetric): void {
    const { deadLetters, functions, reconcile, stateMachines } = props;
    const graph = (title: string, left: IMetric[]): GraphWidget => new GraphWidget({ title, left, width: 12 });
    const all = [...Object.values(functions), reconcile.function];
    new Dashboard(this, 'Dashboard', {
      dashboardName: resourceName(this.settings, 'bedrock-batch'),
      widgets: [
        [new TextWidget({ markdown: 'What to do about each figure: docs/runbook.md', width: 24, height: 2 })],
        [
          graph(
            'Executions',
            stateMachines.flatMap((machine) => [
              machine.metricStarted({ statistic: 'Sum' }),
              machine.metricSucceeded({ statistic: 'Sum' }),
              machine.metricFailed({ statistic: 'Sum' }),
            ]),
          ),
          graph(
            'Events that were lost',
            Object.values(deadLetters).map((queue) => queue.metricApproximateNumberOfMessagesVisible()),
          ),
        ],
        [
          graph(
            'Errors of functions that events invoke',
            all.map((handler) => handler.metricErrors()),
          ),
          graph(
            'Their throttles',
            all.map((handler) => handler.metricThrottles()),
          ),
        ],
        [
          graph('Jobs that the reconciler did not check', reconciled),
          graph('Age of the oldest open job, in seconds', [oldest]),
        ],
        ...runFigures(this.settings),
      ],
    });
  }
}

interface AlarmOptions {
  readonly metric: IMetric;
  /** First sentence of the description. */
  readonly meaning: string;
  /** Heading of the runbook that says what to do. */
  readonly runbook: string;
  /** Number of periods in a row. @default 1 */
  readonly periods?: number;
  /** The alarm is raised below this, and not above zero. */
  readonly below?: number;
  /** The alarm is raised above this. @default 0 */
  readonly above?: number;
}

const PERIOD = Duration.minutes(5);
/** At least one check, however rare the context makes them (`reconcileMinutes` is at most 60). */
const RECONCILE_PERIOD = Duration.hours(1);
/** Hours after its timeout in which the reconciler stops a job and, if it does not stop, lets its run go on without it. */
const HOURS_TO_STOP = 4;
