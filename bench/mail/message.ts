/** The mail that both sides send. */

export const TO = "someone@example.org";
export const DATA = {
  subject: "Soup is ready",
  message: `Come and get it.\n${"It is hot, and there is enough. ".repeat(20)}`,
};
