import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AccessLogFormat,
  EndpointType,
  LambdaIntegration,
  LogGroupLogDestination,
  MethodLoggingLevel,
  ResponseTransferMode,
  RestApi,
  type IResource,
  type Integration,
} from 'aws-cdk-lib/aws-apigateway';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

export interface EndpointProps {
  readonly settings: Settings;
  readonly api: IFunction;
  readonly stream: IFunction;
}

/** The HTTPS door: one regional REST API, two routes of which stream. */
export class Endpoint extends Construct {
  readonly rest: RestApi;
  readonly baseUrl: string;

  constructor(scope: Construct, id: string, props: EndpointProps) {
    super(scope, id);
    const { settings } = props;
    this.rest = new RestApi(this, 'Rest', {
      restApiName: settings.stack_name,
      endpointTypes: [EndpointType.REGIONAL],
      cloudWatchRole: settings.gateway_log_role,
      deployOptions: {
        stageName: 'prod',
        throttlingRateLimit: settings.throttle_rate,
        throttlingBurstLimit: settings.throttle_burst,
        tracingEnabled: true,
        loggingLevel: MethodLoggingLevel.ERROR,
        accessLogDestination: new LogGroupLogDestination(
          new LogGroup(this, 'AccessLogs', {
            retention: settings.log_retention_days,
            removalPolicy: RemovalPolicy.DESTROY,
          }),
        ),
        accessLogFormat: AccessLogFormat.jsonWithStandardFields(),
      },
    });
    this.#routes(
      new LambdaIntegration(props.api, { scopePermissionToMethod: false }),
      new LambdaIntegration(props.stream, {
        scopePermissionToMethod: false,
        responseTransferMode: ResponseTransferMode.STREAM,
      }),
    );
    this.baseUrl = this.rest.deploymentStage.urlForPath('/').replace(/\/$/, '');
  }

  #routes(api: Integration, stream: Integration): void {
    const any = (resource: IResource) => {
      resource.addMethod('ANY', api);
      return resource;
    };
    const rest = (resource: IResource) => any(resource.addResource('{proxy+}'));
    const root = any(this.rest.root);
    rest(root);
    const v1 = any(root.addResource('v1'));
    rest(v1);
    const session = any(any(v1.addResource('sessions')).addResource('{session_id}'));
    rest(session);
    const events = any(session.addResource('events'));
    rest(events);
    any(events.addResource('stream')).addMethod('GET', stream);
    const thread = any(any(session.addResource('threads')).addResource('{thread_id}'));
    rest(thread);
    any(thread.addResource('stream')).addMethod('GET', stream);
  }
}
