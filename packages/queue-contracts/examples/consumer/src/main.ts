import jobSchema from "@forebay/queue-contracts/schemas/inference-job.json" with { type: "json" };
import { queueTagOfJobId } from "@forebay/queue-contracts";
import { readAnswer } from "./read-job.js";
import { prepareJob } from "./write-job.js";

const { queue, id, data, options } = prepareJob("What is a forebay?");
console.log(`queue ${queue}, tag ${queueTagOfJobId(id)}, lane ${data.lane}, attempts ${options.attempts}`);
console.log(`schema ${jobSchema.title}`);
console.log(readAnswer({ failedReason: "out_of_memory: the model does not fit" }));
