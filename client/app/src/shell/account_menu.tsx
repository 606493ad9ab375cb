/** Whose session it is, the page's colours, and the way out. */

import { Menu, UnstyledButton, useMantineColorScheme } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useStore } from "../data/store.ts";
import { noticeChoices, turnNotices, turnSound } from "../notices/notices.ts";
import { leave } from "../session/leaving.ts";
import { viewer } from "../session/session.ts";
import { t } from "../strings/strings.ts";
import { KeyboardIcon, SettingsIcon, SignOutIcon } from "../ui/icons.tsx";
import { PersonAvatar } from "../ui/person_avatar.tsx";
import classes from "./account_menu.module.css";
import { showToast } from "./toasts.ts";

const SCHEMES = [["light", "user.light"], ["dark", "user.dark"], ["auto", "user.auto"]] as const;

export function AccountMenu({ onHelp }: { readonly onHelp: () => void }) {
  const person = useStore(viewer);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { notices, sound } = useStore(noticeChoices);
  if (person === undefined) return null;
  const toggleNotices = async () => {
    const isOn = await turnNotices(notices !== "on");
    if (notices !== "on" && !isOn) showToast({ text: t("notices.blocked") });
  };
  return (
    <Menu position="top-start" width={240} shadow="md" withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <UnstyledButton className={classes.button} aria-label={t("user.menu", { email: person.email })}>
          <PersonAvatar person={person} size={32} />
          <span className={classes.email}>{person.email}</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("user.colours")}</Menu.Label>
        <Menu.RadioGroup
          aria-label={t("user.colours")}
          value={colorScheme}
          onChange={(scheme) => setColorScheme(scheme as typeof colorScheme)}
        >
          {SCHEMES.map(([scheme, label]) => <Menu.RadioItem key={scheme} value={scheme}>{t(label)}</Menu.RadioItem>)}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.CheckboxItem checked={notices === "on"} onChange={() => void toggleNotices()}>
          {t("notices.on")}
        </Menu.CheckboxItem>
        <Menu.CheckboxItem checked={sound} onChange={() => turnSound(!sound)}>
          {t("notices.sound")}
        </Menu.CheckboxItem>
        <Menu.Divider />
        <Menu.Item component={Link} to="/settings" leftSection={<SettingsIcon size={16} />}>
          {t("settings.title")}
        </Menu.Item>
        <Menu.Item leftSection={<KeyboardIcon size={16} />} onClick={onHelp}>{t("keys.title")}</Menu.Item>
        <Menu.Divider />
        <Menu.Item leftSection={<SignOutIcon size={16} />} onClick={() => void leave()}>{t("user.signOut")}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
