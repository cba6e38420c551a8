import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';

/*
 * Runs cfn-guard over templates with the proactive controls of AWS Control Tower: rules that AWS itself has written. Each finding
 * has a reason here, by rule and resource, and a reason without a finding is a finding.
 */

/** Rules of the services whose resources the stack has. Those of all services would take six times as long. */
const SERVICES = [
  'cloudwatch',
  'dynamodb',
  'identityandaccessmanagement',
  'keymanagementservice',
  'lambda',
  's3',
  'sqs',
  'stepfunctions',
];

/** A finding that is accepted. */
interface Accepted {
  readonly rule: string;
  /** Logical ids of the resources. */
  readonly resources: RegExp;
  readonly reason: string;
}

export const ACCEPTED: readonly Accepted[] = [
  {
    rule: 'lambda_inside_vpc_check',
    resources: /Function/,
    reason:
      'The functions reach APIs of AWS and, if a run asks for it, one public host. A VPC would add a NAT gateway, and no protection.',
  },
  {
    rule: 'lambda_function_url_auth_check',
    resources: /^DownloadFunctionFunctionUrl/,
    reason:
      'Readers of emails have no AWS credentials. A link holds a signed token of one object, which the function checks.',
  },
  {
    rule: 'lambda_function_public_access_prohibited_check',
    resources: /^DownloadFunctioninvokefunction/,
    reason: 'The same: the URL of the function that checks the tokens is public.',
  },
  {
    rule: 's3_bucket_default_encryption_kms_check',
    resources: /^DataBucket/,
    reason: 'SSE-S3 encrypts the bucket without the cost and the quota of requests to a key.',
  },
  {
    rule: 's3_bucket_versioning_enabled_check',
    resources: /^DataBucket/,
    reason: 'Each run writes under keys of its own, and a repeated step writes the same bytes.',
  },
  {
    rule: 's3_bucket_logging_enabled_check',
    resources: /^DataBucket/,
    reason:
      'Access logs need a second bucket, whose place an organisation decides; CloudTrail data events do the same.',
  },
  {
    rule: 's3_bucket_object_lock_enabled_check',
    resources: /^DataBucket/,
    reason: 'Inputs and answers may be personal data, which their owner must be able to delete.',
  },
  {
    rule: 'sqs_dlq_check',
    resources: /DeadLetters/,
    reason: 'These are the dead-letter queues.',
  },
  {
    rule: 'cloudwatch_log_group_retention_period_check',
    resources: /Logs/,
    reason:
      'The rule wants a year. Logs hold the course of runs, which nobody looks for after a month; results are in the bucket.',
  },
  {
    rule: 'cloudwatch_log_group_encrypted_check',
    resources: /Logs/,
    reason: 'CloudWatch encrypts logs with a key of its own, and they hold no row, prompt, token or link.',
  },
];

interface FileReport {
  readonly not_compliant: readonly { readonly Rule: { readonly name: string } }[];
  readonly compliant: readonly string[];
  readonly not_applicable: readonly string[];
}

/** Returns the findings that have no reason, and the reasons that have no finding. */
export function guardFindings(templates: readonly string[], accepted: readonly Accepted[] = ACCEPTED): string[] {
  const found = new Set(reports(templates).flatMap(findings));
  const problems = new Set(found);
  const unused: string[] = [];
  for (const { rule, resources } of accepted) {
    const covered = [...found].filter((finding) => {
      const [name = '', id = ''] = finding.split(' ');
      return name === rule && resources.test(id);
    });
    for (const finding of covered) problems.delete(finding);
    if (covered.length === 0) unused.push(`checks/cfn-guard.ts has a reason without a finding: ${rule}`);
  }
  return [...problems, ...unused].sort();
}

/** Returns each rule that a template does not fulfil, with each of the resources. */
function findings({ not_compliant }: FileReport): string[] {
  return not_compliant.flatMap((entry) => {
    const paths = JSON.stringify(entry).matchAll(/\/Resources\/([A-Za-z0-9]+)/g);
    const ids = new Set([...paths].map(([, id]) => id ?? ''));
    return [...ids].map((id) => `${entry.Rule.name} ${id}`);
  });
}

function reports(templates: readonly string[]): FileReport[] {
  const root = dirname(require.resolve('@cdklabs/cdk-validator-cfnguard/package.json'));
  const platform = process.platform === 'darwin' ? 'macos' : 'ubuntu';
  const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const program = join(root, 'bin', platform, architecture, 'cfn-guard');
  const rules = SERVICES.map((service) => join(root, 'rules', 'control-tower', 'cfn-guard', service));
  const options = ['--structured', '--output-format', 'json', '--show-summary', 'none'];
  const { stdout, stderr, error } = spawnSync(
    program,
    ['validate', '--data', ...templates, '--rules', ...rules, ...options],
    { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 },
  );
  if (error) throw new Error(`${program} could not be run: ${error.message}`);
  try {
    const parsed = JSON.parse(stdout) as FileReport[];
    const judged = parsed.filter(
      (file) => file.compliant.length + file.not_compliant.length + file.not_applicable.length > 0,
    );
    if (judged.length !== templates.length)
      throw new Error(`it has judged ${judged.length} of ${templates.length} templates`);
    return parsed;
  } catch (cause) {
    throw new Error(`cfn-guard has no report: ${stderr}`, { cause });
  }
}
