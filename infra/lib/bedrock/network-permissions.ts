import type { Stack } from 'aws-cdk-lib';
import type { Permission } from '../permissions/permission';
import type { Settings } from '../settings/keys';
import { bedrockResources } from './resources';

const TAGS = { managed: 'BedrockManaged', job: 'BedrockModelInvocationJobArn' };

/**
 * Returns the permissions with which Bedrock creates and removes the network interfaces of jobs in a VPC, as its guide lists
 * them ("Protect batch inference jobs using a VPC"): only in the subnets of the context, and only those of jobs of this
 * account. None without a VPC.
 */
export function networkPermissions(stack: Stack, settings: Settings): Permission[] {
  const { jobSubnetIds, jobSecurityGroupIds } = settings;
  if (jobSubnetIds.length === 0) return [];
  const arn = (resource: string, resourceName: string): string =>
    stack.formatArn({ service: 'ec2', resource, resourceName });
  const interfaces = arn('network-interface', '*');
  const subnets = jobSubnetIds.map((id) => arn('subnet', id));
  const { invocationJobs } = bedrockResources(stack);
  return [
    {
      sid: 'SeeNetwork',
      actions: ['DhcpOptions', 'NetworkInterfaces', 'SecurityGroups', 'Subnets', 'Vpcs'].map(
        (what) => `ec2:Describe${what}`,
      ),
      resources: ['*'],
      wildcardReason: 'IAM has no resource types for descriptions of networks.',
    },
    {
      sid: 'CreateNetworkInterfacesOfJobs',
      actions: ['ec2:CreateNetworkInterface'],
      resources: [interfaces, ...subnets, ...jobSecurityGroupIds.map((id) => arn('security-group', id))],
      conditions: {
        StringEquals: { [`aws:RequestTag/${TAGS.managed}`]: 'true' },
        ArnEquals: { [`aws:RequestTag/${TAGS.job}`]: invocationJobs },
      },
      wildcardReason: INTERFACES,
    },
    {
      sid: 'RemoveNetworkInterfacesOfJobs',
      actions: [
        'ec2:CreateNetworkInterfacePermission',
        'ec2:DeleteNetworkInterface',
        'ec2:DeleteNetworkInterfacePermission',
      ],
      resources: ['*'],
      conditions: {
        StringEquals: { 'ec2:Subnet': subnets },
        ArnEquals: { [`ec2:ResourceTag/${TAGS.job}`]: invocationJobs },
      },
      wildcardReason: INTERFACES,
    },
    {
      sid: 'TagNetworkInterfacesOfJobs',
      actions: ['ec2:CreateTags'],
      resources: [interfaces],
      conditions: {
        StringEquals: { 'ec2:CreateAction': 'CreateNetworkInterface' },
        'ForAllValues:StringEquals': { 'aws:TagKeys': Object.values(TAGS) },
      },
      wildcardReason: INTERFACES,
    },
  ];
}

const INTERFACES = 'Bedrock creates network interfaces, whose ids cannot be named in advance.';
