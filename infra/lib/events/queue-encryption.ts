import { type QueueProps, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { IConstruct } from 'constructs';
import { encryptionKey } from '../permissions/encryption';
import type { Settings } from '../settings/keys';

/** Returns the encryption of a queue: by the key of the account if there is one, else by SQS itself. */
export function queueEncryption(
  scope: IConstruct,
  settings: Pick<Settings, 'encryptionKeyArn'>,
): Pick<QueueProps, 'encryption' | 'encryptionMasterKey'> {
  const key = encryptionKey(scope, settings);
  return key === undefined
    ? { encryption: QueueEncryption.SQS_MANAGED }
    : { encryption: QueueEncryption.KMS, encryptionMasterKey: key };
}
