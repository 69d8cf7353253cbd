import { AwsError } from '../aws-error.ts';
import { arn, place } from '../place.ts';
import type { Stack } from '../template/stack.ts';
import { list, record, text } from '../template/template.ts';
import { matches } from './pattern.ts';
import { applies, parsePolicy, type Request, type Statement } from './statement.ts';

/** Managed policies of AWS that the template may attach, with what they would add here: nothing. */
const managed_without_effect =
  /\/(AWSLambdaBasicExecutionRole|AWSXRayDaemonWriteAccess|AmazonAPIGatewayPushToCloudWatchLogs)$/;

const decisions_max = 20_000;

/** Who makes a call. The host's own administrator has no role and may do everything. */
export interface Caller {
  readonly role_arn: string | undefined;
  /** The session's name in messages: the function that assumed the role. */
  readonly session: string;
}

/** A statement of a role that allows something, and whether a call has been allowed by it alone. */
export interface UsedGrant {
  /** Name of the role. */
  readonly role: string;
  readonly sid: string;
  readonly is_needed: boolean;
}

type Decision = 'allowed' | 'no identity-based policy allows' | 'explicit deny';

/** Judges requests by the template's policies, as IAM does: a deny wins, else one allow is needed. */
export class Authorizer {
  readonly #statements = new Map<string, readonly Statement[]>();
  readonly #resource_statements: readonly Statement[];
  readonly #conditional: ReadonlySet<string>;
  readonly #decisions = new Map<string, Decision>();
  readonly #needed = new Set<Statement>();

  /** @throws BootError for a policy that the host cannot evaluate. */
  constructor(stack: Stack) {
    for (const role of stack.all('AWS::IAM::Role')) {
      const role_arn = arn('iam', `role/${role.name}`);
      const attached = stack
        .all('AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy')
        .filter(({ properties }) => list(properties['Roles']).includes(role.name));
      const documents = [
        ...list(role.properties['Policies']).map((policy) => record(policy)['PolicyDocument']),
        ...attached.map(({ properties }) => properties['PolicyDocument']),
      ];
      const statements = documents.flatMap((document) => parsePolicy(document, role.id));
      this.#statements.set(role_arn, [...statements, ...managed(stack, role.properties)]);
    }
    this.#resource_statements = stack
      .all('AWS::S3::BucketPolicy')
      .flatMap(({ id, properties }) => parsePolicy(properties['PolicyDocument'], id));
    const all = [...this.#statements.values(), this.#resource_statements].flat();
    this.#conditional = new Set(all.flatMap(({ conditions }) => conditions.map(({ key }) => key)));
  }

  /** Whether a policy asks for this key, so that it need not be worked out in vain. */
  asksFor(key: string): boolean {
    return this.#conditional.has(key);
  }

  /** Every statement that allows something: without one that is needed a call would have failed. */
  grants(): UsedGrant[] {
    return [...this.#statements].flatMap(([role_arn, statements]) =>
      statements
        .filter(({ allows }) => allows)
        .map((statement) => ({
          role: role_arn.slice(role_arn.lastIndexOf('/') + 1),
          sid: statement.sid,
          is_needed: this.#needed.has(statement),
        })),
    );
  }

  /** @throws AwsError `AccessDeniedException` in AWS's words. */
  check(caller: Caller, request: Request): void {
    if (caller.role_arn === undefined) return;
    const decision = this.#decide(caller.role_arn, request);
    if (decision === 'allowed') return;
    const role = caller.role_arn.slice(caller.role_arn.lastIndexOf('/') + 1);
    const user = `arn:aws:sts::${place.account}:assumed-role/${role}/${caller.session}`;
    const why =
      decision === 'explicit deny'
        ? 'with an explicit deny in a policy'
        : `because no identity-based policy allows the ${request.action} action`;
    const { action, resource } = request;
    throw new AwsError(
      'AccessDeniedException',
      `User: ${user} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
    );
  }

  allows(caller: Caller, request: Request): boolean {
    return caller.role_arn === undefined || this.#decide(caller.role_arn, request) === 'allowed';
  }

  #decide(role_arn: string, request: Request): Decision {
    const facts = JSON.stringify(request.context);
    const key = `${role_arn} ${request.action} ${request.resource} ${facts}`;
    let decision = this.#decisions.get(key);
    if (decision === undefined) {
      decision = this.#judge(role_arn, request);
      if (this.#decisions.size >= decisions_max) this.#decisions.clear();
      this.#decisions.set(key, decision);
    }
    return decision;
  }

  #judge(role_arn: string, request: Request): Decision {
    const context = {
      'aws:principalarn': [role_arn],
      'aws:principalaccount': [place.account],
      'aws:requestedregion': [place.region],
      // Plain HTTP to 127.0.0.1 stands for the TLS of the account's endpoints.
      'aws:securetransport': ['true'],
      's3:tlsversion': ['1.3'],
      ...request.context,
    };
    const of_role = (this.#statements.get(role_arn) ?? []).filter((each) =>
      applies(each, { ...request, context }),
    );
    const of_resource = this.#resource_statements.filter(
      (each) =>
        each.principals?.some((principal) => matches(principal, role_arn)) === true &&
        applies(each, { ...request, context }),
    );
    const found = [...of_role, ...of_resource];
    if (found.some(({ allows }) => !allows)) return 'explicit deny';
    const [only] = found;
    if (only !== undefined && found.length === 1) this.#needed.add(only);
    return found.length > 0 ? 'allowed' : 'no identity-based policy allows';
  }
}

function managed(stack: Stack, role: Record<string, unknown>): Statement[] {
  return list(role['ManagedPolicyArns']).flatMap((policy) => {
    const policy_arn = text(policy, 'ManagedPolicyArns');
    if (managed_without_effect.test(policy_arn)) return [];
    const name = policy_arn.slice(policy_arn.lastIndexOf('/') + 1);
    const own = stack.all('AWS::IAM::ManagedPolicy').find((each) => each.name === name);
    if (own !== undefined) return parsePolicy(own.properties['PolicyDocument'], own.id);
    throw new Error(`The local host does not know the managed policy ${policy_arn}.`);
  });
}
