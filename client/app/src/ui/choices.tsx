/** One of a few, each of which is a button. */

import { UnstyledButton } from "@mantine/core";
import type { ReactNode } from "react";
import classes from "./choices.module.css";

export interface ChoicesProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly choices: readonly { readonly value: Value; readonly label: ReactNode }[];
  readonly onChange: (value: Value) => void;
}

export function Choices<Value extends string>({ label, value: chosen, choices, onChange }: ChoicesProps<Value>) {
  return (
    <div className={classes.choices} role="group" aria-label={label}>
      {choices.map(({ value, label }) => (
        <UnstyledButton
          key={value}
          className={classes.choice}
          aria-pressed={value === chosen}
          onClick={() => onChange(value)}
        >
          {label}
        </UnstyledButton>
      ))}
    </div>
  );
}
