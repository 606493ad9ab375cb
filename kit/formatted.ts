/** What a generator wrote, as `deno fmt` has it, for a file that is committed; `extension` says what it is: ts, md. */
export async function formatted(text: string, extension: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", extension, "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("deno fmt can't read what was generated");
  return new TextDecoder().decode(stdout);
}
