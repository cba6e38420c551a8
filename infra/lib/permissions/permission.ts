import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { acknowledgeWildcards } from './wildcard';

/** One thing that a role may do. */
export interface Permission {
  /** What it is for, as the statement's id. */
  readonly sid: string;
  readonly actions: string[];
  readonly resources: string[];
  /** @default - always */
  readonly conditions?: Record<string, Record<string, string>>;
  /** Why a resource ends in a wildcard. @default - none does; cdk-nag's test fails if one does */
  readonly wildcardReason?: string;
}

/** Lets `role` do it. */
export function permit(role: Role, permission: Permission): void {
  const { wildcardReason, ...statement } = permission;
  role.addToPolicy(new PolicyStatement(statement));
  if (wildcardReason !== undefined) acknowledgeWildcards(role, permission.resources, wildcardReason);
}
