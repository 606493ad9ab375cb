/** A part of a page with a heading of its own. */

import { Title } from "@mantine/core";
import { type ReactNode, useId } from "react";
import classes from "./card.module.css";

export interface CardProps {
  readonly title: string;
  readonly hint?: string;
  /** Beside the heading. */
  readonly action?: ReactNode;
  readonly children: ReactNode;
}

export function Card({ title, hint, action, children }: CardProps) {
  const id = useId();
  return (
    <section className={classes.card} aria-labelledby={id}>
      <div className={classes.head}>
        <Title order={2} size="h5" id={id} className={classes.title}>{title}</Title>
        {action}
        {hint !== undefined && <p className={classes.hint}>{hint}</p>}
      </div>
      {children}
    </section>
  );
}
