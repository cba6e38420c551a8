import { Duration } from 'aws-cdk-lib';
import { GraphWidget, type IMetric, type IWidget, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { METRICS } from '../contract/metrics';
import type { Settings } from '../settings/keys';
import { metricsNamespace } from '../settings/names';

type RunMetric = (typeof METRICS)[keyof typeof METRICS];

/** Runs take hours. */
const PERIOD = Duration.hours(1);

/** Returns the rows of the dashboard with the figures of runs; none if the context turns them off. */
export function runFigures(settings: Settings): IWidget[][] {
  if (!settings.metrics) return [];
  const namespace = metricsNamespace(settings);
  const graph = (title: string, ...left: IMetric[]): GraphWidget => new GraphWidget({ title, left, width: 12 });
  const sum = (metric: RunMetric): IMetric => figure(namespace, metric, 'Sum');
  return [
    [
      graph('Rows', sum(METRICS.rowsAnswered), sum(METRICS.rowsFailed)),
      graph('Cost in US dollars, by model', sum(METRICS.costUsd)),
    ],
    [
      graph('Tokens, by model', sum(METRICS.inputTokens), sum(METRICS.outputTokens)),
      graph('Ended jobs, by status', sum(METRICS.jobsEnded)),
    ],
    [
      graph('Seconds of steps, longest', figure(namespace, METRICS.stepSeconds, 'Maximum')),
      graph('Seconds of runs, longest', figure(namespace, METRICS.runSeconds, 'Maximum')),
    ],
  ];
}

/** Returns a metric, or one line for each value of its dimension. */
function figure(namespace: string, { name, dimension }: RunMetric, statistic: string): IMetric {
  if (dimension === undefined) return new Metric({ namespace, metricName: name, statistic, period: PERIOD });
  return new MathExpression({
    expression: `SEARCH('{${namespace},${dimension}} MetricName="${name}"', '${statistic}', ${String(PERIOD.toSeconds())})`,
    usingMetrics: {},
    label: '',
    period: PERIOD,
  });
}
