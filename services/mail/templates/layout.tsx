/** What all mails look like: a card on a quiet ground, in tables and inline styles, since mail clients know little else. */

import { Body } from "@react-email/body";
import { Button } from "@react-email/button";
import { Container } from "@react-email/container";
import { Head } from "@react-email/head";
import { Hr } from "@react-email/hr";
import { Html } from "@react-email/html";
import { Preview } from "@react-email/preview";
import { Section } from "@react-email/section";
import { Text } from "@react-email/text";
import type { CSSProperties, ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { hole } from "./holes.ts";

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif";
const INK = "#1c2330";
const QUIET = "#5c6675";
const ACCENT = "#3451c6";
const LINE = "#e3e6eb";
/** A word without an end must not make the mail wider than its reader's screen. */
const WRAP: CSSProperties = { overflowWrap: "anywhere", wordBreak: "break-word" };

const DARK = `:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  .ground, .ground > table, .ground td { background-color: #14171d !important; }
  .card, .card td { background-color: #1d222b !important; border-color: #323945 !important; }
  .ink { color: #e8ebf0 !important; } .quiet { color: #a3adbb !important; } .link { color: #9db2ff !important; }
  .line { border-color: #323945 !important; }
}`;

const STYLES = {
  text: { ...WRAP, color: INK, fontSize: "16px", lineHeight: "25px", margin: "0 0 16px" },
  quiet: { ...WRAP, color: QUIET, fontSize: "14px", lineHeight: "21px", margin: "0" },
  title: { ...WRAP, color: INK, fontSize: "20px", lineHeight: "28px", fontWeight: 600, margin: "0 0 16px" },
} satisfies Record<string, CSSProperties>;

interface LayoutProps {
  /** Below the card, small. */
  readonly foot: ReactNode;
  readonly children: ReactNode;
}

/** A whole mail, with a hole for `preview`: what a list of mails shows beside the subject. */
export function page({ foot, children }: LayoutProps): string {
  const html = renderToStaticMarkup(
    <Html lang="en">
      <Head>
        <meta name="viewport" content="width=device-width" />
        <meta name="color-scheme" content="light dark" />
        <style>{DARK}</style>
      </Head>
      <Preview>{hole("preview")}</Preview>
      <Body
        className="ground"
        style={{ backgroundColor: "#f3f4f7", margin: 0, padding: "24px 12px", fontFamily: FONT }}
      >
        <Container style={{ maxWidth: "560px" }}>
          <Text className="quiet" style={{ ...STYLES.quiet, fontWeight: 600, padding: "0 4px 12px" }}>Notifyx</Text>
          <Section
            className="card"
            style={{
              backgroundColor: "#ffffff",
              border: `1px solid ${LINE}`,
              borderRadius: "10px",
              padding: "24px",
              tableLayout: "fixed",
            }}
          >
            {children}
          </Section>
          <Section style={{ padding: "16px 4px 0" }}>{foot}</Section>
        </Container>
      </Body>
    </Html>,
  );
  // React escapes what is in <style>, and a selector's ">" must stay one.
  return `<!doctype html>${html.replace(/<style>.*?<\/style>/s, `<style>${DARK}</style>`)}`;
}

/** A piece of a page that comes several times. */
export function fragment(node: ReactNode): string {
  return renderToStaticMarkup(node);
}

export function Title({ children }: { children: ReactNode }): ReactNode {
  return <Text className="ink" dir="auto" style={STYLES.title}>{children}</Text>;
}

export function Words({ children }: { children: ReactNode }): ReactNode {
  return <Text className="ink" dir="auto" style={{ ...STYLES.text, whiteSpace: "pre-wrap" }}>{children}</Text>;
}

export function Quiet({ children }: { children: ReactNode }): ReactNode {
  return <Text className="quiet" style={STYLES.quiet}>{children}</Text>;
}

export function Line(): ReactNode {
  return <Hr className="line" style={{ borderTop: `1px solid ${LINE}`, margin: "16px 0" }} />;
}

export function Link({ href, children }: { href: string; children: ReactNode }): ReactNode {
  return <a className="link" href={href} target="_blank" style={{ ...WRAP, color: ACCENT }}>{children}</a>;
}

export function Action({ href, children }: { href: string; children: ReactNode }): ReactNode {
  return (
    <Section style={{ padding: "4px 0 20px" }}>
      <Button
        href={href}
        style={{
          backgroundColor: ACCENT,
          borderRadius: "8px",
          color: "#ffffff",
          fontSize: "16px",
          fontWeight: 600,
          padding: "12px 20px",
        }}
      >
        {children}
      </Button>
    </Section>
  );
}
