/** The keys that work on this page, and the switch that turns them off. */

import { Kbd, Modal, Switch } from "@mantine/core";
import { useStore } from "../data/store.ts";
import { t } from "../strings/strings.ts";
import classes from "./help_sheet.module.css";
import { shortcuts, shortcutsOn, turnShortcuts } from "./shortcuts.ts";

export function HelpSheet({ onClose }: { readonly onClose: () => void }) {
  const all = useStore(shortcuts);
  const isOn = useStore(shortcutsOn);
  return (
    <Modal opened onClose={onClose} title={t("keys.title")} closeButtonProps={{ "aria-label": t("app.close") }}>
      <Switch
        label={t("keys.on")}
        checked={isOn}
        onChange={(event) => turnShortcuts(event.currentTarget.checked)}
        mb="md"
        pt={4}
        data-autofocus
      />
      <dl className={classes.keys}>
        {all.map(({ keys, label }) => (
          <div key={keys} className={classes.row}>
            <dt>{t(label)}</dt>
            <dd>{keys.split(" ").map((key) => <Kbd key={key}>{key}</Kbd>)}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}
