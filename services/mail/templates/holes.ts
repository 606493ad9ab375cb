/**
 * A page that is rendered once, with holes where data goes. In: HTML with holes. Out: a function that fills them.
 * A hole is two private-use characters around a name, which HTML's escaping leaves alone.
 */

const HOLE = /\uE000(\w+)\uE001/;

/** Where the value of that name goes. */
export function hole(name: string): string {
  return `\uE000${name}\uE001`;
}

/** `fill` takes a value for each hole, as HTML: whoever gives it has escaped it. */
export function withHoles<Name extends string>(html: string): (values: Record<Name, string>) => string {
  // Text and names in turn.
  const parts = html.split(HOLE);
  return (values) => {
    let filled = parts[0]!;
    for (let at = 1; at < parts.length; at += 2) filled += values[parts[at] as Name] + parts[at + 1]!;
    return filled;
  };
}
