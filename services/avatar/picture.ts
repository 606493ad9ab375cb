/** Which picture a URL asks for. In: a path and a query. Out: the picture, or what is wrong. */

import { AVATAR_DEFAULTS, AVATAR_STYLES, avatarSize } from "../../kit/avatar_url.ts";
import { UserError } from "../../kit/errors.ts";
import { isUuid } from "../../kit/ids.ts";
import { type Style, VERSION } from "./drawing/mod.ts";

export const FORMATS = ["png", "svg"] as const;
export type Format = typeof FORMATS[number];

export interface Picture {
  /** A UUID in lower case. */
  readonly id: string;
  /** Width and height in pixels. */
  readonly size: number;
  readonly style: Style;
  readonly format: Format;
}

export const PREFIX = "/avatars/";
const SUFFIX = ".png";
const DEFAULTS = { ...AVATAR_DEFAULTS, format: "png" } as const;
const PARAMETERS = Object.keys(DEFAULTS);

/** @param path begins with PREFIX @param query without `?` @throws UserError `NOT_FOUND` for what is no id, `BAD_USER_INPUT` */
export function pictureOf(path: string, query: string): Picture {
  const id = path.slice(PREFIX.length, -SUFFIX.length);
  if (!path.endsWith(SUFFIX) || !isUuid(id)) {
    throw new UserError("NOT_FOUND", `there is no such avatar: the path is ${PREFIX}USER_ID${SUFFIX}`);
  }
  const given = query === "" ? {} : parametersOf(query);
  return {
    id: id.toLowerCase(),
    size: given.size === undefined
      ? DEFAULTS.size
      : avatarSize(/^\d{1,4}$/.test(given.size) ? Number(given.size) : NaN),
    style: oneOf("style", AVATAR_STYLES, given.style ?? DEFAULTS.style),
    format: oneOf("format", FORMATS, given.format ?? DEFAULTS.format),
  };
}

/** Of one picture there is one name, however its URL was written; as an ETag it names its drawing as well. */
export function keyOf({ id, size, style, format }: Picture): string {
  return `${VERSION}-${id}-${style}-${size}-${format}`;
}

// Anything else would be another URL of the same picture, for caches to keep once more.
function parametersOf(query: string): Partial<Record<keyof typeof DEFAULTS, string>> {
  const given: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query)) {
    if (!PARAMETERS.includes(name)) {
      throw new UserError("BAD_USER_INPUT", `an avatar's URL takes ${PARAMETERS.join(", ")} and nothing else`);
    }
    if (name in given) throw new UserError("BAD_USER_INPUT", `${name} is given twice`);
    given[name] = value;
  }
  return given;
}

function oneOf<T extends string>(name: string, values: readonly T[], given: string): T {
  const found = values.find((value) => value === given);
  if (found === undefined) throw new UserError("BAD_USER_INPUT", `${name} takes ${values.join(" or ")}`);
  return found;
}
