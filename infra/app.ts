import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { flags } from './flags.ts';
import { PlatformStack } from './platform-stack.ts';
import { settingsFrom, type Settings } from './settings.ts';

const app = new App({
  // Without an outdir and without the CLI, the assembly would go to a temporary folder.
  outdir: process.env['CDK_OUTDIR'] ?? 'cdk.out',
  context: flags,
  // Three seconds of each synthesis; test/infra holds every template to the same rules.
  builtinCloudFormationValidation: false,
  // Nothing is reported to anybody.
  analyticsReporting: false,
});
new PlatformStack(app, settings());
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();

/** A setting that is not taken is told by its sentence: where it was found out helps nobody. */
function settings(): Settings {
  try {
    return settingsFrom(app.node.getAllContext());
  } catch (cause) {
    process.stderr.write(`${cause instanceof Error ? cause.message : String(cause)}\n`);
    process.exit(1);
  }
}
