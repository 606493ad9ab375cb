/** Asks before what can't be taken back. */

import { Button, Group, Modal, Text } from "@mantine/core";
import { t } from "../strings/strings.ts";

export interface ConfirmDialogProps {
  readonly title: string;
  /** What will be so. */
  readonly text: string;
  /** What the button says that does it. */
  readonly action: string;
  /** What the other one says; "Cancel" by default. */
  readonly keep?: string;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

export function ConfirmDialog(
  { title, text, action, keep = t("topics.cancel"), onConfirm, onClose }: ConfirmDialogProps,
) {
  return (
    <Modal opened centered onClose={onClose} title={title} closeButtonProps={{ "aria-label": t("app.close") }}>
      <Text>{text}</Text>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onClose} data-autofocus>{keep}</Button>
        <Button
          color="red.9"
          onClick={() => {
            onClose();
            onConfirm();
          }}
        >
          {action}
        </Button>
      </Group>
    </Modal>
  );
}
