/** The kinds of mails: each has a template of its name, and may have its own limit of time. */

export const TEMPLATES = ["plain", "notification", "digest", "confirm", "reset", "replaced"] as const;

export type TemplateName = typeof TEMPLATES[number];

export function isTemplate(name: string): name is TemplateName {
  return TEMPLATES.some((one) => one === name);
}
