import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { flags } from './flags.ts';
import { PlatformStack } from './platform-stack.ts';
import { settingsFrom } from './settings.ts';

const app = new App({
  // Without an outdir and without the CLI, the assembly would go to a temporary folder.
  outdir: process.env['CDK_OUTDIR'] ?? 'cdk.out',
  context: flags,
  // Three seconds of each synthesis; test/infra holds every template to the same rules.
  builtinCloudFormationValidation: false,
  // Nothing is reported to anybody.
  analyticsReporting: false,
});
new PlatformStack(app, settingsFrom(app.node.getAllContext()));
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
