import type { IBucket } from 'aws-cdk-lib/aws-s3';
import {
  DistributedMap,
  type IChainable,
  JsonPath,
  S3JsonItemReader,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { type ResultField, resultPath } from './payload';

/** Props of `itemMap`. */
export interface ItemMapProps {
  /** Bucket of the manifest. */
  readonly bucket: IBucket;
  /** Label of the map, unique and short because it becomes part of the ARNs of its children. */
  readonly label: string;
  /** Fields of the run's state that each child gets. */
  readonly fields: readonly ResultField<'step'>[];
  /** Field in which a child gets its item of the manifest. */
  readonly item: string;
  /** States of a child. */
  readonly child: IChainable;
}

/** Output of a child: one byte, because Step Functions collects it from thousands of them. The map discards it. */
export const ONE_BYTE = '{% 0 %}';

/**
 * Creates a Distributed Map over the manifest that the run's state names: one Standard child execution per item.
 *
 * The output of the state is its input. The results of the children are in S3 and in the job table. No failure is
 * tolerated, so the first child that fails ends the map.
 *
 * Maps use JSONPath: they need nothing more, and the local stack does not evaluate JSONata in the fields of a
 * Distributed Map. (A state may choose its language as long as that of the state machine is JSONPath.)
 */
export function itemMap(scope: Construct, id: string, props: ItemMapProps): DistributedMap {
  return DistributedMap.jsonPath(scope, id, {
    label: props.label,
    mapExecutionType: StateMachineType.STANDARD,
    itemReader: new S3JsonItemReader({
      bucketNamePath: JsonPath.stringAt(resultPath('step', 'bucket')),
      key: JsonPath.stringAt(resultPath('step', 'manifest_key')),
    }),
    maxConcurrencyPath: JsonPath.stringAt(resultPath('step', 'max_concurrency')),
    itemSelector: {
      ...Object.fromEntries(props.fields.map((field) => [field, JsonPath.stringAt(resultPath('step', field))])),
      [props.item]: JsonPath.objectAt('$$.Map.Item.Value'),
    },
    resultPath: JsonPath.DISCARD,
  }).itemProcessor(props.child);
}
