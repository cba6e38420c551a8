import { Stack } from 'aws-cdk-lib';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { IConstruct } from 'constructs';
import type { Settings } from '../settings/keys';
import type { Permission } from './permission';

/** Actions with which data under a key is read and written. DynamoDB and S3 use the key for the caller. */
const USE_OF_KEY = ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'];

const KEY_ID = 'EncryptionKey';

/** Returns the key of the account that encrypts what the stack stores, or nothing: then keys of AWS do. */
export function encryptionKey(
  scope: IConstruct,
  { encryptionKeyArn }: Pick<Settings, 'encryptionKeyArn'>,
): IKey | undefined {
  if (encryptionKeyArn === undefined) return undefined;
  const stack = Stack.of(scope);
  return (stack.node.tryFindChild(KEY_ID) as IKey | undefined) ?? Key.fromKeyArn(stack, KEY_ID, encryptionKeyArn);
}

/** Returns the prop of a construct that stores data, such as a log group or a secret. */
export function encrypted(
  scope: IConstruct,
  settings: Pick<Settings, 'encryptionKeyArn'>,
): { readonly encryptionKey?: IKey } {
  const key = encryptionKey(scope, settings);
  return key === undefined ? {} : { encryptionKey: key };
}

/** Returns the permission to use this key; none without one. */
export function useOfEncryptionKey({ encryptionKeyArn }: Pick<Settings, 'encryptionKeyArn'>): Permission[] {
  return encryptionKeyArn === undefined
    ? []
    : [{ sid: 'UseEncryptionKey', actions: USE_OF_KEY, resources: [encryptionKeyArn] }];
}

/** Returns the permission to read inputs that other keys encrypt; none without any. */
export function useOfInputKeys({ inputKeyArns }: Pick<Settings, 'inputKeyArns'>): Permission[] {
  return inputKeyArns.length === 0
    ? []
    : [{ sid: 'DecryptInputs', actions: ['kms:Decrypt'], resources: [...inputKeyArns] }];
}
