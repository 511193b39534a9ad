import type { SeededRandom } from "../text/seeded-random.ts";

/** A string of one of JSON Schema's formats; undefined for those that say nothing to us. */
export function createFormatted(format: string, random: SeededRandom): string | undefined {
  const day = new Date(Date.UTC(2026, 0, 1) + random.between(0, 364) * 86_400_000);
  const second = new Date(day.getTime() + random.between(0, 86_399) * 1000).toISOString();
  const byte = () => random.between(1, 254);
  const name = () => random.pick(["river", "lake", "spring", "weir", "turbine"]);
  switch (format) {
    case "date-time":
      return second.replace(".000", "");
    case "date":
      return second.slice(0, 10);
    case "time":
      return `${second.slice(11, 19)}Z`;
    case "duration":
      return `PT${random.between(1, 59)}M`;
    case "email":
    case "idn-email":
      return `${name()}${random.between(1, 99)}@example.com`;
    case "hostname":
    case "idn-hostname":
      return `${name()}.example.com`;
    case "ipv4":
      return `192.0.2.${byte()}`;
    case "ipv6":
      return `2001:db8::${byte().toString(16)}`;
    case "uri":
    case "iri":
    case "url":
      return `https://example.com/${name()}/${byte()}`;
    case "uri-reference":
    case "iri-reference":
    case "json-pointer":
      return `/${name()}/${byte()}`;
    case "relative-json-pointer":
      return "0";
    case "uri-template":
      return `https://example.com/{${name()}}`;
    case "uuid":
      return createUuid(random);
    case "regex":
      return `^${name()}$`;
    case "byte":
      return Buffer.from(name()).toString("base64");
    default:
      return undefined;
  }
}

function createUuid(random: SeededRandom): string {
  const hex = (length: number) => Array.from({ length }, () => random.between(0, 15).toString(16)).join("");
  return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
}
