// SCIMMY's routers over two maps: the store is ours, the protocol is theirs.
// Usage: node scimmy.js PORT TOKEN
import { randomUUID } from "node:crypto";
import express from "express";
import SCIMMY from "scimmy";
import SCIMMYRouters from "scimmy-routers";

const [port, token] = process.argv.slice(2);

function keep(type, unique) {
    const rows = new Map();
    const egress = async (resource) => {
        if (resource.id) {
            if (!rows.has(resource.id)) throw new SCIMMY.Types.Error(404, null, `${resource.id} not found`);
            return rows.get(resource.id);
        }
        const all = [...rows.values()];
        return resource.filter ? resource.filter.match(all) : all;
    };
    const ingress = async (resource, data) => {
        const old = resource.id ? rows.get(resource.id) : undefined;
        if (resource.id && !old) throw new SCIMMY.Types.Error(404, null, `${resource.id} not found`);
        const name = String(data[unique] ?? "").toLowerCase();
        for (const row of rows.values()) {
            if (row.id !== resource.id && String(row[unique]).toLowerCase() === name) throw new SCIMMY.Types.Error(409, "uniqueness", `${unique} is taken`);
        }
        const now = new Date().toISOString();
        const row = { ...JSON.parse(JSON.stringify(data)), id: old?.id ?? randomUUID(), meta: { created: old?.meta.created ?? now, lastModified: now } };
        rows.set(row.id, row);
        return row;
    };
    const degress = async (resource) => {
        if (!rows.delete(resource.id)) throw new SCIMMY.Types.Error(404, null, `${resource.id} not found`);
    };
    SCIMMY.Resources.declare(type).ingress(ingress).egress(egress).degress(degress);
}

SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser);
keep(SCIMMY.Resources.User, "userName");
keep(SCIMMY.Resources.Group, "displayName");

const app = express();
app.use("/scim", new SCIMMYRouters({
    type: "bearer",
    handler: (request) => {
        if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("Bearer token missing or wrong");
        return "interop";
    },
}));
app.listen(Number(port), "127.0.0.1");
