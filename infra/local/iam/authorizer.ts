import { AwsError } from '../aws-error.ts';
import { arn, place } from '../place.ts';
import type { Stack } from '../template/stack.ts';
import { list, record, text } from '../template/template.ts';
import type { RequestContext } from './conditions.ts';
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

/** A service of AWS that is to act as a role, and for which of its things it says that it does. */
export interface Assuming {
  readonly service: string;
  /** Of what it acts for; undefined where the service documents none. */
  readonly source_arn: string | undefined;
}

/** An action on a resource that a statement of a role allows: the smallest thing that can be taken away. */
export interface UsedGrant {
  /** Name of the role. */
  readonly role: string;
  readonly sid: string;
  /** As the template writes them, wildcards included. */
  readonly action: string;
  readonly resource: string;
  /** Whether a call has been allowed by this alone: without it that call is refused. */
  readonly is_needed: boolean;
}

interface Decision {
  readonly outcome: 'allowed' | 'no identity-based policy allows' | 'explicit deny';
  /** The name of the one grant that allows it, where there is just one. */
  readonly by?: string;
}

/** Judges requests by the template's policies, as IAM does: a deny wins, else one allow is needed. */
export class Authorizer {
  readonly #statements = new Map<string, readonly Statement[]>();
  readonly #trust = new Map<string, readonly Statement[]>();
  readonly #resource_statements: readonly Statement[];
  readonly #conditional: ReadonlySet<string>;
  readonly #decisions = new Map<string, Decision>();
  readonly #needed = new Set<string>();

  /** @throws BootError for a policy that the host cannot evaluate. */
  constructor(stack: Stack) {
    for (const role of stack.all('AWS::IAM::Role')) {
      const role_arn = arn('iam', `role/${role.name}`);
      const trust = parsePolicy(role.properties['AssumeRolePolicyDocument'], role.id);
      this.#trust.set(role_arn, trust);
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

  /** Every grant of every role, and whether anything that was done so far needed it. */
  grants(): UsedGrant[] {
    return [...this.#statements].flatMap(([role_arn, statements]) =>
      statements.flatMap((statement) =>
        pairsOf(statement).map(([action, resource]) => ({
          role: role_arn.slice(role_arn.lastIndexOf('/') + 1),
          sid: statement.sid,
          action,
          resource,
          is_needed: this.#needed.has(nameOf(role_arn, statement, action, resource)),
        })),
      ),
    );
  }

  /** @throws AwsError `AccessDeniedException` in AWS's words. */
  check(caller: Caller, request: Request): void {
    if (caller.role_arn === undefined) return;
    const outcome = this.#decide(caller.role_arn, request);
    if (outcome === 'allowed') return;
    const role = caller.role_arn.slice(caller.role_arn.lastIndexOf('/') + 1);
    const user = `arn:aws:sts::${place.account}:assumed-role/${role}/${caller.session}`;
    const why =
      outcome === 'explicit deny'
        ? 'with an explicit deny in a policy'
        : `because no identity-based policy allows the ${request.action} action`;
    const { action, resource } = request;
    throw new AwsError(
      'AccessDeniedException',
      `User: ${user} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
    );
  }

  /** Whether a role's trust policy lets a service act as it. */
  trusts(role_arn: string, { service, source_arn }: Assuming): boolean {
    const context: RequestContext =
      source_arn === undefined
        ? {}
        : { 'aws:sourcearn': [source_arn], 'aws:sourceaccount': [place.account] };
    const request = { action: 'sts:AssumeRole', resource: role_arn, context };
    const found = (this.#trust.get(role_arn) ?? []).filter(
      (each) => each.principals?.includes(service) === true && applies(each, request),
    );
    return found.length > 0 && found.every(({ allows }) => allows);
  }

  allows(caller: Caller, request: Request): boolean {
    if (caller.role_arn === undefined) return true;
    return this.#decide(caller.role_arn, request) === 'allowed';
  }

  #decide(role_arn: string, request: Request): Decision['outcome'] {
    const facts = JSON.stringify(request.context);
    const key = `${role_arn} ${request.action} ${request.resource} ${facts}`;
    let decision = this.#decisions.get(key);
    if (decision === undefined) {
      decision = this.#judge(role_arn, request);
      if (this.#decisions.size >= decisions_max) this.#decisions.clear();
      this.#decisions.set(key, decision);
    }
    if (decision.by !== undefined) this.#needed.add(decision.by);
    return decision.outcome;
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
    if (found.some(({ allows }) => !allows)) return { outcome: 'explicit deny' };
    if (found.length === 0) return { outcome: 'no identity-based policy allows' };
    const names = of_role.flatMap((each) => grantsFor(role_arn, each, request));
    const [by] = names;
    return by !== undefined && names.length === 1 && of_resource.length === 0
      ? { outcome: 'allowed', by }
      : { outcome: 'allowed' };
  }
}

/** What a statement allows, action by action and resource by resource. */
function pairsOf({ allows, actions, resources }: Statement): [action: string, resource: string][] {
  if (!allows) return [];
  return actions.flatMap((action) =>
    resources.map((resource): [string, string] => [action, resource]),
  );
}

/** The names of a statement's grants that cover a request, of which the statement speaks. */
function grantsFor(role_arn: string, statement: Statement, request: Request): string[] {
  return pairsOf(statement)
    .filter(([action, resource]) => {
      return matches(action, request.action, true) && matches(resource, request.resource);
    })
    .map(([action, resource]) => nameOf(role_arn, statement, action, resource));
}

function nameOf(role_arn: string, { sid }: Statement, action: string, resource: string): string {
  return `${role_arn} ${sid} ${action} ${resource}`;
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
