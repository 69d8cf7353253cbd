import { CfnOutput, Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  Cors,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  ResponseTransferMode,
  RestApi,
  SecurityPolicy,
  type DomainNameOptions,
  type StageOptions,
} from 'aws-cdk-lib/aws-apigateway';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { limits } from '#shared/core/limits.ts';
import { addErrorResponses } from './error-responses.ts';
import { addRoutes } from './routing.ts';
import type { Settings } from './settings.ts';

const STAGE = 'prod';

export interface EndpointProps {
  readonly settings: Settings;
  readonly api: IFunction;
  readonly memory: IFunction;
  readonly stream: IFunction;
}

/** The HTTPS door: one regional REST API, some routes of which stream. */
export class Endpoint extends Construct {
  readonly rest: RestApi;
  /**
   * What the SDK takes as `baseURL`. It joins `/v1/…` to it as text, so the stage may stand in it;
   * functions read `event.path`, in which API Gateway leaves the stage out.
   */
  readonly baseUrl: string;

  constructor(scope: Construct, id: string, props: EndpointProps) {
    super(scope, id);
    const { settings } = props;
    this.rest = new RestApi(this, 'Rest', {
      restApiName: settings.stack_name,
      // Regional: a stream may be silent for 5 minutes; edge-optimized would cut it after 30 s.
      endpointTypes: [EndpointType.REGIONAL],
      // Uploads come as bytes; whatever else a client sends is taken for UTF-8.
      binaryMediaTypes: ['multipart/form-data'],
      cloudWatchRole: settings.gateway_log_role,
      deployOptions: this.#stage(settings),
      domainName: domain(this, settings),
      defaultCorsPreflightOptions: {
        allowOrigins: Cors.ALL_ORIGINS,
        allowMethods: ['GET', 'POST', 'PATCH', 'DELETE'],
        // The star lets the SDK's x-stainless-* pass whatever they are; it never covers authorization.
        allowHeaders: ['*', 'authorization'],
        maxAge: Duration.hours(2),
      },
    });
    addRoutes(this.rest.root, {
      api: new LambdaIntegration(props.api, { scopePermissionToMethod: false }),
      memory: new LambdaIntegration(props.memory, { scopePermissionToMethod: false }),
      stream: new LambdaIntegration(props.stream, {
        scopePermissionToMethod: false,
        responseTransferMode: ResponseTransferMode.STREAM,
        // Not implied by streaming: the default would cut every stream after 29 s.
        timeout: Duration.seconds(limits.stream_timeout_s),
      }),
    });
    addErrorResponses(this.rest);
    this.#executionLogs(settings);
    // CDK's own output of the address ends in a slash, which the SDK would double; ours is BaseUrl.
    this.rest.node.tryRemoveChild('Endpoint');
    this.baseUrl = this.#url(settings);
    this.#acknowledge();
  }

  #stage(settings: Settings): StageOptions {
    const logs = new LogGroup(this, 'AccessLogs', {
      retention: settings.log_retention_days,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    return {
      stageName: STAGE,
      throttlingRateLimit: settings.throttle_rate,
      throttlingBurstLimit: settings.throttle_burst,
      tracingEnabled: true,
      loggingLevel: MethodLoggingLevel.ERROR,
      accessLogDestination: new LogGroupLogDestination(logs),
      accessLogFormat: AccessLogFormat.custom(JSON.stringify(accessLog)),
    };
  }

  /** API Gateway would make this group by itself, for what goes wrong at the door: without an end. */
  #executionLogs(settings: Settings): void {
    const { restApiId, deploymentStage } = this.rest;
    const logs = new LogGroup(this, 'ExecutionLogs', {
      logGroupName: `API-Gateway-Execution-Logs_${restApiId}/${STAGE}`,
      retention: settings.log_retention_days,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    deploymentStage.node.addDependency(logs);
  }

  #url(settings: Settings): string {
    const { domainName } = this.rest;
    if (settings.domain_name === undefined || domainName === undefined) {
      return `https://${this.rest.restApiId}.execute-api.${Stack.of(this).region}.${Stack.of(this).urlSuffix}/${this.rest.deploymentStage.stageName}`;
    }
    new CfnOutput(Stack.of(this), 'DomainTarget', {
      value: domainName.domainNameAliasDomainName,
      description: `Point ${settings.domain_name} to this name (CNAME, or an alias record)`,
    });
    return `https://${settings.domain_name}`;
  }

  #acknowledge(): void {
    const authorized =
      "Keys are the product's own: hashed in the table, with workspace and scopes, checked by the functions on every request.";
    Validations.of(this.rest).acknowledge(
      { id: 'AwsSolutions-APIG4', reason: authorized },
      { id: 'AwsSolutions-COG4', reason: authorized },
      {
        id: 'AwsSolutions-APIG2',
        reason:
          'The functions check every body against a schema and name the field in the envelope of the API; API Gateway could not.',
      },
      {
        id: 'AwsSolutions-APIG3',
        reason:
          'A web ACL costs $5 a month when nobody works. A customer who wants one associates it with the stage.',
      },
      {
        id: 'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]',
        reason:
          "The role is the account's, for all APIs of the region: it must not be narrower than what AWS gives it.",
      },
    );
  }
}

/** One line a request: who, what, how long; no query, header or body. */
const accessLog = {
  time: '$context.requestTimeEpoch',
  gateway_request_id: '$context.requestId',
  ip: '$context.identity.sourceIp',
  method: '$context.httpMethod',
  path: '$context.path',
  status: '$context.status',
  error: '$context.error.responseType',
  integration_error: '$context.integration.error',
  latency_ms: '$context.responseLatency',
  integration_latency_ms: '$context.integration.latency',
  response_bytes: '$context.responseLength',
  trace: '$context.xrayTraceId',
};

function domain(scope: Construct, settings: Settings): DomainNameOptions | undefined {
  const { domain_name, certificate_arn } = settings;
  if (domain_name === undefined || certificate_arn === undefined) return undefined;
  return {
    domainName: domain_name,
    certificate: Certificate.fromCertificateArn(scope, 'Certificate', certificate_arn),
    endpointType: EndpointType.REGIONAL,
    securityPolicy: SecurityPolicy.TLS_1_2,
  };
}
