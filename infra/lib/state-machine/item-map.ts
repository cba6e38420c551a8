import type { IBucket } from 'aws-cdk-lib/aws-s3';
import {
  DistributedMap,
  type IChainable,
  JsonPath,
  S3JsonItemReader,
  StateMachineType,
} from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** Props of `itemMap`. */
export interface ItemMapProps {
  /** The bucket of the manifest. */
  readonly bucket: IBucket;
  /** Part of the ARNs of the map's children, so short and its own. */
  readonly label: string;
  /** Fields of the run's state that each child is given. */
  readonly fields: readonly string[];
  /** The field in which a child is given its item of the manifest. */
  readonly item: string;
  /** The states of a child. */
  readonly child: IChainable;
}

/** What a child returns. Step Functions collects it from thousands of them, so it is one byte; the map drops it. */
export const NOTHING = '{% 0 %}';

/**
 * A Distributed Map over the manifest that the run's state names: one Standard child execution per item.
 *
 * The state's output is its input. What the children did is in S3 and in the table. Without a tolerated failure, the
 * first child that fails ends the map.
 *
 * Maps speak JSONPath: they need nothing more, and the local stack evaluates no JSONata in the fields of a Distributed
 * Map. (A state may choose its language as long as the state machine's own is JSONPath.)
 */
export function itemMap(scope: Construct, id: string, props: ItemMapProps): DistributedMap {
  return DistributedMap.jsonPath(scope, id, {
    label: props.label,
    mapExecutionType: StateMachineType.STANDARD,
    itemReader: new S3JsonItemReader({
      bucketNamePath: JsonPath.stringAt('$.bucket'),
      key: JsonPath.stringAt('$.manifest_key'),
    }),
    maxConcurrencyPath: JsonPath.stringAt('$.max_concurrency'),
    itemSelector: {
      ...Object.fromEntries(props.fields.map((field) => [field, JsonPath.stringAt(`$.${field}`)])),
      [props.item]: JsonPath.objectAt('$$.Map.Item.Value'),
    },
    resultPath: JsonPath.DISCARD,
  }).itemProcessor(props.child);
}
