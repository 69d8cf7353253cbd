import { Duration, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
  type FunctionOptions,
  type FunctionProps,
  type TenancyConfig,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Variable } from '#shared/core/env.ts';
import { bundle, type BundleProps } from './bundle.ts';
import type { Settings } from './settings.ts';
import { allow, give, star, type Grant } from './grants.ts';

/** Of the metrics that the functions send; the dimension `service` says which function of which stack. */
export const METRICS_NAMESPACE = 'Reverie';

export interface NodeFunctionProps {
  /** Folder of functions/ with the handler; also the name in logs, metrics and traces. */
  readonly room: string;
  readonly description: string;
  readonly settings: Settings;
  readonly timeout_s: number;
  readonly memory_mib: number;
  /** Variables without a value are left out. */
  readonly environment?: Readonly<Partial<Record<Variable, string | undefined>>>;
  /**
   * All that the role may do beside writing its log and traces. `none` is meant: no log, no
   * traces, no policy at all.
   */
  readonly grants: readonly Grant[] | 'none';
  /** @default true, unless `grants` is `none` */
  readonly traced?: boolean;
  /** @default - none: the bundle is whole */
  readonly modules?: BundleProps['modules'];
  /** @default - invocations share execution environments */
  readonly tenancyConfig?: TenancyConfig;
}

/** A function as all of ours are: Node 24 on arm64, one bundle, a role of its own, JSON logs that expire. */
export class NodeFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: Role;
  readonly #props: FunctionProps;

  constructor(scope: Construct, id: string, props: NodeFunctionProps) {
    super(scope, id);
    const { settings, grants } = props;
    const traced = props.traced ?? grants !== 'none';
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `${settings.stack_name}: ${props.room} function`,
    });
    this.#props = {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: bundle({ room: props.room, sourceMap: settings.source_maps, modules: props.modules }),
      handler: 'index.handler',
      role: this.role,
      timeout: Duration.seconds(props.timeout_s),
      memorySize: props.memory_mib,
      environment: environment(props),
      tracing: traced ? Tracing.ACTIVE : undefined,
      tenancyConfig: props.tenancyConfig,
      ...(grants === 'none' ? {} : this.#logging(settings)),
    };
    this.function = new LambdaFunction(this, 'Function', this.#props);
    if (grants !== 'none') give(this.role, grants);
    if (traced) {
      Validations.of(this.role).acknowledge({
        id: star('*'),
        reason:
          'xray:PutTraceSegments and PutTelemetryRecords know no resource; nothing else has this one.',
      });
    }
  }

  /** The same code once more, under the same role and into the same log, in another size. */
  protected sized(
    id: string,
    {
      environment: variables,
      ...size
    }: Pick<FunctionProps, 'description' | 'memorySize' | 'environment'>,
  ): LambdaFunction {
    const environment = { ...this.#props.environment, ...variables };
    return new LambdaFunction(this, id, { ...this.#props, ...size, environment });
  }

  /** A log group of its own, so that it expires and the role can name it instead of `*`. */
  #logging(settings: Settings): FunctionOptions {
    const logGroup = new LogGroup(this, 'Logs', {
      retention: settings.log_retention_days,
      // What is worth keeping is in the table and the bucket.
      removalPolicy: RemovalPolicy.DESTROY,
    });
    give(this.role, [
      allow('Logs', ['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]),
    ]);
    // Text, though our lines are JSON: with Lambda's JSON format its level filter comes too, and takes
    // metrics (lines without a level) for INFO. At WARN they, and the alarm on them, would be gone.
    return { logGroup, loggingFormat: LoggingFormat.TEXT };
  }
}

function environment(props: NodeFunctionProps): Record<string, string> {
  const { settings, room } = props;
  const all: Record<string, string | undefined> = {
    ...props.environment,
    // With the stack's name, so that two stacks in one account do not add up their metrics.
    POWERTOOLS_SERVICE_NAME: `${settings.stack_name}-${room}`,
    POWERTOOLS_METRICS_NAMESPACE: METRICS_NAMESPACE,
    POWERTOOLS_LOG_LEVEL: settings.log_level,
    NODE_OPTIONS: settings.source_maps ? '--enable-source-maps' : undefined,
  };
  const given = Object.entries(all).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return Object.fromEntries(given);
}
