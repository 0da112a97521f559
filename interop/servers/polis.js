// The directory sync of Ory Polis (SAML Jackson) with its store in memory: the directory and its protocol are
// theirs, this passes requests on. Prints its address and token as JSON when it is ready.
// Usage: node polis.js PORT
import express from "express";
import pkg from "@boxyhq/saml-jackson";
const jackson = pkg.default ?? pkg;
const [port] = process.argv.slice(2);
const { directorySyncController: sync } = await jackson({
    externalUrl: `http://127.0.0.1:${port}`, samlAudience: "interop", samlPath: "/saml", scimPath: "/scim/v2.0",
    db: { engine: "mem" }, noAnalytics: true,
});
const { data: directory, error } = await sync.directories.create({ tenant: "interop", product: "interop", name: "interop", type: "generic-scim-v2" });
if (error) throw new Error(error.message);
const app = express();
app.use(express.json({ type: () => true, limit: "8mb" }));
app.use("/scim/v2.0/:id", async (request, response) => {
    const [type, resource] = request.path.split("/").filter(Boolean);
    const answer = await sync.requests.handle({
        method: request.method, body: request.body && Object.keys(request.body).length ? request.body : undefined,
        directoryId: request.params.id, resourceType: (type ?? "").toLowerCase(), resourceId: resource,
        apiSecret: (request.header("Authorization") ?? "").replace("Bearer ", ""),
        query: { count: Number(request.query.count ?? 0) || undefined, startIndex: Number(request.query.startIndex ?? 0) || undefined, filter: request.query.filter },
    }).catch((error) => ({ status: error.statusCode ?? 500, data: { detail: error.message } }));
    const { status, data } = answer;
    data === null || data === undefined ? response.status(status).end() : response.status(status).json(data);
});
app.listen(Number(port), "127.0.0.1", () => console.log(JSON.stringify({ url: `http://127.0.0.1:${port}/scim/v2.0/${directory.id}`, token: directory.scim.secret })));
