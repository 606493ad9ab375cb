/** A list, and beside it the one of it that is open, which is a page of its own below the list's. */

import { Outlet } from "@tanstack/react-router";
import type { ReactNode } from "react";
import classes from "./columns.module.css";

/** @param children the list, as one element */
export function Columns({ isOpen, children }: { readonly isOpen: boolean; readonly children: ReactNode }) {
  return (
    <div className={classes.columns} data-open={isOpen || undefined}>
      {children}
      <Outlet />
    </div>
  );
}
