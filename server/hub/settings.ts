import type { Config } from '../config.ts';
import { DEFAULT_ENDPOINT, DEFAULT_HOSTS, type HubSettings } from './guarded-get.ts';

/** Where models may come from, as the environment says: HF_ENDPOINT, MODEL_HOSTS and HF_TOKEN. */
export function hubSettings(
  { modelEndpoint, modelHosts }: Pick<Config, 'modelEndpoint' | 'modelHosts'>,
  env: Record<string, string | undefined>,
): HubSettings {
  const named = env['MODEL_HOSTS'] ? modelHosts : [];
  const hosts = named.length === 0 && modelEndpoint === DEFAULT_ENDPOINT ? DEFAULT_HOSTS : named;
  const token = env['HF_TOKEN']?.trim();
  return { endpoint: modelEndpoint, hosts, ...(token && { token }) };
}
