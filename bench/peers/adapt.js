// V2 tensors to V1 predictions, for nginx-njs.conf.
function head(r) {
    delete r.headersOut['Content-Length'];
}

function body(r, chunk, flags) {
    r.seen = (r.seen || '') + chunk;
    if (flags.last) {
        const answer = JSON.parse(r.seen);
        r.sendBuffer(JSON.stringify({predictions: answer.outputs[0].data}), flags);
    }
}

export default {head, body};
