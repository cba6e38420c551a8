import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import { JOB_TABLE } from '../contract/job-table';
import { encryptionKey } from '../permissions/encryption';
import type { Settings } from '../settings/keys';

/**
 * The job table: one item per Bedrock job, written before the job exists.
 *
 * It holds the tokens that running executions wait for and the only record of which job belongs to which run, so it
 * can be restored to any second and is retained when the stack is deleted, unless its first deployment failed.
 */
export class JobTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, settings: Pick<Settings, 'encryptionKeyArn'>) {
    super(scope, id);
    const key = encryptionKey(this, settings);

    this.table = new Table(this, 'Table', {
      partitionKey: { name: JOB_TABLE.partitionKey, type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      ...(key === undefined
        ? { encryption: TableEncryption.AWS_MANAGED }
        : { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey: key }),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      timeToLiveAttribute: JOB_TABLE.timeToLive,
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: JOB_TABLE.runIndex.name,
      partitionKey: { name: JOB_TABLE.runIndex.partitionKey, type: AttributeType.STRING },
      sortKey: { name: JOB_TABLE.runIndex.sortKey, type: AttributeType.NUMBER },
      projectionType: ProjectionType.ALL,
    });
    this.table.addGlobalSecondaryIndex({
      indexName: JOB_TABLE.openIndex.name,
      partitionKey: { name: JOB_TABLE.openIndex.partitionKey, type: AttributeType.STRING },
      sortKey: { name: JOB_TABLE.openIndex.sortKey, type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
  }
}
