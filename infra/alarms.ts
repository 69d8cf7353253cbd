import { Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  TreatMissingData,
  type IMetric,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Topic, type ITopic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** `critical`: sessions stand still. `warning`: something failed that is repeated by itself. */
export type Severity = 'critical' | 'warning';

export interface Watch {
  /** Kebab-case. */
  readonly name: string;
  readonly severity: Severity;
  readonly metric: IMetric;
  /** Alarms at this value and above. */
  readonly threshold: number;
  /** What has happened, for who is woken by it. */
  readonly meaning: string;
  /** What to look at, and what to do. */
  readonly remedy: string;
  /** Periods that must all be bad. @default 1 */
  readonly periods?: number;
  /** Whether silence is bad. @default false */
  readonly silenceAlarms?: boolean;
}

/** How long one period of every alarm is. */
export const period = Duration.minutes(5);

/** The registry of alarms: each has a severity, and says itself what it means and what to do. */
export class Alarms extends Construct {
  readonly all: Alarm[] = [];
  readonly #topic: ITopic | undefined;
  readonly #stack_name: string;

  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    this.#stack_name = settings.stack_name;
    this.#topic = topic(this, settings);
  }

  add(watch: Watch): void {
    const alarm = new Alarm(this, watch.name, {
      alarmName: `${this.#stack_name}-${watch.severity}-${watch.name}`,
      alarmDescription: `${watch.meaning} ${watch.remedy}`,
      metric: watch.metric,
      threshold: watch.threshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: watch.periods ?? 1,
      treatMissingData: watch.silenceAlarms
        ? TreatMissingData.BREACHING
        : TreatMissingData.NOT_BREACHING,
    });
    if (this.#topic) alarm.addAlarmAction(new SnsAction(this.#topic));
    this.all.push(alarm);
  }
}

function topic(scope: Construct, settings: Settings): ITopic | undefined {
  if (settings.alarm_topic_arn !== undefined) {
    return Topic.fromTopicArn(scope, 'Topic', settings.alarm_topic_arn);
  }
  if (settings.alarm_email === undefined) return undefined;
  const own = new Topic(scope, 'Topic', {
    displayName: `${Stack.of(scope).stackName} alarms`,
    enforceSSL: true,
  });
  own.addSubscription(new EmailSubscription(settings.alarm_email));
  // A policy of one's own, as TLS alone needs one, takes the place of the default, by which alarms publish.
  const { account } = Stack.of(scope);
  own.addToResourcePolicy(
    new PolicyStatement({
      sid: 'Alarms',
      actions: ['sns:Publish'],
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      resources: [own.topicArn],
      conditions: { StringEquals: { 'aws:SourceAccount': account } },
    }),
  );
  return own;
}
