/** docker-compose.yml as the tests look at it: read, with the variables that are given in the place of its own. */

import { parse } from "yaml";

export const CHECKOUT = new URL("../..", import.meta.url);

export interface ComposeService {
  readonly image: string;
  readonly build?: string;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly scale?: number;
  readonly user: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** `SOURCE:TARGET` or `SOURCE:TARGET:ro`. */
  readonly volumes?: readonly string[];
  readonly tmpfs?: readonly string[];
  readonly ports?: readonly string[];
  readonly networks?: readonly string[] | Readonly<Record<string, { readonly ipv4_address?: string } | null>>;
  readonly network_mode?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly restart: string;
  readonly init: boolean;
  readonly read_only: boolean;
  readonly privileged?: boolean;
  readonly cap_drop: readonly string[];
  readonly cap_add?: readonly string[];
  readonly security_opt: readonly string[];
  readonly pids_limit: number;
  readonly cpus: number;
  readonly mem_limit: string;
  readonly stop_grace_period: string;
  readonly logging: { readonly driver: string; readonly options: Readonly<Record<string, string>> };
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** `variables` count before the defaults that the file has. */
export async function readComposeFile(variables: Readonly<Record<string, string>> = {}): Promise<ComposeFile> {
  const text = await Deno.readTextFile(new URL("docker-compose.yml", CHECKOUT));
  const filled = (value: string) =>
    value.replaceAll(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, otherwise: string) => variables[name] ?? otherwise);
  return parse(text, (_, value) => typeof value === "string" ? filled(value) : value, { merge: true });
}

/** The networks that a service is in. */
export function networksOf({ networks = [] }: ComposeService): string[] {
  return Array.isArray(networks) ? networks : Object.keys(networks);
}

/** What is mounted in a service: where it is from, by where it is. */
export function mountsOf({ volumes = [] }: ComposeService): Map<string, string> {
  return new Map(volumes.map((volume) => volume.split(":")).map(([source, target]) => [target!, source!]));
}
