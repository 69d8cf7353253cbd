import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import { Api } from './api.ts';
import { Dashboard } from './dashboard.ts';
import { Dream } from './dream.ts';
import { DreamMachine } from './dream-machine.ts';
import { Endpoint } from './endpoint.ts';
import { Fire } from './fire.ts';
import { Grade } from './grade.ts';
import { Memory } from './memory.ts';
import { Reconcile } from './reconcile.ts';
import { Sandbox } from './sandbox.ts';
import { Secrets } from './secrets.ts';
import { SessionMachine } from './session-machine.ts';
import type { Settings } from './settings.ts';
import { Step } from './step.ts';
import { Storage } from './storage.ts';
import { Stream } from './stream.ts';
import { watches } from './watches.ts';

/** Everything that one deployment has. Wiring only: each part decides for itself. */
export class PlatformStack extends Stack {
  constructor(scope: Construct, settings: Settings, props?: StackProps) {
    super(scope, settings.stack_name, {
      description: 'Reverie: Claude Managed Agents in your own account',
      // The data stays, but the address that clients call, the keys' secrets and what runs do not.
      terminationProtection:
        settings.termination_protection ?? settings.removal_policy === 'retain',
      ...props,
    });
    const storage = new Storage(this, 'Storage', settings);
    const secrets = new Secrets(this, 'Secrets', { settings, key: storage.key });
    const sandbox = new Sandbox(this, 'Sandbox', settings);
    const step = new Step(this, 'Step', { settings, storage, secrets, sandbox });
    const grade = new Grade(this, 'Grade', { settings, storage, secrets, sandbox });
    const machine = new SessionMachine(this, 'Session', {
      settings,
      step: step.function,
      largeStep: step.large,
      grade: grade.function,
    });
    step.startRuns(machine);
    const api = new Api(this, 'Api', { settings, storage, secrets, machine });
    const dream = new Dream(this, 'Dream', { settings, storage, secrets });
    const dreams = new DreamMachine(this, 'Dreams', { settings, dream: dream.function });
    const fire = new Fire(this, 'Fire', { settings, storage, dreams });
    const memory = new Memory(this, 'Memory', { settings, storage, secrets, dreams, fire });
    const stream = new Stream(this, 'Stream', { settings, storage, secrets });
    const runs = { machine, dreams, fire };
    const reconcile = new Reconcile(this, 'Reconcile', { settings, storage, ...runs });
    const endpoint = new Endpoint(this, 'Endpoint', {
      settings,
      api: api.function,
      memory: memory.function,
      stream: stream.function,
    });
    const watched = {
      settings,
      machine: machine.machine,
      rest: endpoint.rest,
      functions: {
        api: api.function,
        memory: memory.function,
        stream: stream.function,
        step: step.function,
        'large step': step.large,
        grade: grade.function,
        dream: dream.function,
        fire: fire.function,
        sandbox: sandbox.function,
        reconcile: reconcile.function,
      },
    };
    const alarms = new Alarms(this, 'Alarms', settings);
    for (const watch of watches(watched)) alarms.add(watch);
    if (settings.dashboard) {
      new Dashboard(this, 'Dashboard', { ...watched, alarms, endpoint, table: storage.table });
    }

    this.#output('BaseUrl', endpoint.baseUrl, 'baseURL of the SDK');
    this.#output('AdminKeySecretArn', secrets.admin.secretArn, 'Secret with the first API key');
    this.#output(
      'ModelSecretArn',
      secrets.model.secretArn,
      'Secret for the key of the model provider',
    );
    this.#output('TableName', storage.table.tableName, 'Table');
    this.#output('BucketName', storage.bucket.bucketName, 'Bucket of contents');
  }

  #output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
