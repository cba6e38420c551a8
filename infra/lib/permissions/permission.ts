import { type Effect, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { acknowledgeWildcards } from './wildcard';

/** A statement of a role's policy. */
export interface Permission {
  /** Purpose of the permission, as the statement's id. */
  readonly sid: string;
  /** @default Effect.ALLOW */
  readonly effect?: Effect;
  readonly actions: string[];
  readonly resources: string[];
  /** @default - always */
  readonly conditions?: Record<string, Record<string, string | string[]>>;
  /** Reason for a wildcard in a resource. @default - no resource has one; the test of cdk-nag fails if one does */
  readonly wildcardReason?: string;
}

/** Grants `role` a permission. */
export function permit(role: Role, permission: Permission): void {
  const { wildcardReason, ...statement } = permission;
  role.addToPolicy(new PolicyStatement(statement));
  if (wildcardReason !== undefined) acknowledgeWildcards(role, permission.resources, wildcardReason);
}
