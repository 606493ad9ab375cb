/** How the app looks in this browser: its colours, and people's pictures. */

import { Stack, Text, useMantineColorScheme } from "@mantine/core";
import { useStore } from "../data/store.ts";
import { viewer } from "../session/session.ts";
import { t } from "../strings/strings.ts";
import { Card } from "../ui/card.tsx";
import { Choices } from "../ui/choices.tsx";
import { PersonAvatar } from "../ui/person_avatar.tsx";
import { choosePictureStyle, PICTURE_STYLES, pictureStyle } from "../ui/picture_style.ts";
import classes from "./settings_page.module.css";

const SCHEMES = ["light", "dark", "auto"] as const;

export function AppearanceCard() {
  const person = useStore(viewer);
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const style = useStore(pictureStyle);
  return (
    <Card title={t("appearance.title")} hint={t("appearance.hint")}>
      <Stack gap="md" align="flex-start">
        <div>
          <Text size="sm" fw={500} mb={4} aria-hidden="true">{t("user.colours")}</Text>
          <Choices
            label={t("user.colours")}
            value={colorScheme}
            choices={SCHEMES.map((value) => ({ value, label: t(`user.${value}`) }))}
            onChange={setColorScheme}
          />
        </div>
        <div>
          <Text size="sm" fw={500} mb={4} aria-hidden="true">{t("appearance.pictures")}</Text>
          <Choices
            label={t("appearance.pictures")}
            value={style}
            choices={PICTURE_STYLES.map((value) => ({
              value,
              label: (
                <span className={classes.picture}>
                  {person && <PersonAvatar person={person} size={32} style={value} />}
                  {t(`appearance.${value}`)}
                </span>
              ),
            }))}
            onChange={choosePictureStyle}
          />
        </div>
      </Stack>
    </Card>
  );
}
