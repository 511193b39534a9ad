import { hashText } from "../text/seeded-random.ts";
import type { Capability } from "./capability.ts";
import { familyOf } from "./model-families.ts";

/** Everything the simulator knows of an installed model, derived from its name. */
export type ModelCard = {
  /** With its tag, as Ollama lists it. */
  name: string;
  capabilities: ReadonlySet<Capability>;
  family: string;
  parameterSize: string;
  quantization: string;
  contextLength: number;
  embeddingLength: number;
  sizeBytes: number;
  digest: string;
  modifiedAt: Date;
  /** Loaded with one slot whatever num-parallel says. */
  singleSlot: boolean;
};

export function createModelCard(name: string, given?: ReadonlySet<Capability>): ModelCard {
  const family = familyOf(name);
  const capabilities = given ?? family.capabilities;
  const billions = parameterBillions(name) ?? family.billions;
  return {
    name,
    capabilities,
    family: family.family,
    parameterSize: billions < 1 ? `${Math.round(billions * 1000)}M` : `${billions.toFixed(1)}B`,
    quantization: "Q4_K_M",
    contextLength: family.contextLength,
    embeddingLength: family.embeddingLength,
    // About 4.8 bits a weight, which is what Q4_K_M comes to.
    sizeBytes: Math.round(billions * 0.6e9),
    digest: digestOf(name),
    modifiedAt: new Date(Date.UTC(2026, 0, 1) + (hashText(name) % 86_400_000)),
    singleSlot: family.singleSlot || !capabilities.has("completion"),
  };
}

function parameterBillions(name: string): number | undefined {
  const match = /(?:^|[:\-e])(\d+(?:\.\d+)?)([bm])\b/i.exec(name);
  if (match === null) return undefined;
  return Number(match[1]) * (match[2]?.toLowerCase() === "m" ? 0.001 : 1);
}

function digestOf(name: string): string {
  return Array.from({ length: 8 }, (_, i) => hashText(`${i}:${name}`).toString(16).padStart(8, "0")).join("");
}
