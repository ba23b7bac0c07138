"""What `python -m nndsl.prepare` has made of the templates in templates/torch: do not edit it."""

from nndsl.targets.skeleton_parts import Context, get, indent


def torch_program_py_j2(context: Context) -> str:
    parts: list[str] = []
    parts.append(str(context['docstring']))
    parts.append('\n\n')
    parts.append(str(context['imports']))
    parts.append('\n\n\n')
    items_1 = list(context['helpers'])
    for number_1, v_helper in enumerate(items_1, 1):
        parts.append(str(v_helper))
        parts.append('\n\n\n')
    if context['init_function']:
        parts.append(str(context['init_function']))
        parts.append('\n\n\n')
    items_2 = list(context['blocks'])
    for number_2, v_item in enumerate(items_2, 1):
        parts.append('class ')
        parts.append(str(get(v_item, 'name')))
        parts.append('(nn.Module):\n')
        if get(v_item, 'docstring'):
            parts.append(str(get(v_item, 'docstring')))
            parts.append('\n\n')
        items_3 = list(get(v_item, 'buffers'))
        for number_3, v_buffer in enumerate(items_3, 1):
            parts.append('    ')
            parts.append(str(v_buffer))
            parts.append(': Tensor\n')
            if (number_3 == len(items_3)):
                parts.append('\n')
        if get(v_item, 'init'):
            parts.append(str(get(v_item, 'init')))
            parts.append('\n        super().__init__()\n')
            parts.append(str(get(v_item, 'modules')))
            parts.append('\n\n')
        parts.append(str(get(v_item, 'signature')))
        parts.append('\n')
        parts.append(str(get(v_item, 'forward')))
        parts.append('\n')
        if get(v_item, 'reset'):
            parts.append('\n    def reset_state(self) -> None:\n        """Forgets what earlier batches have left behind."""\n')
            parts.append(str(get(v_item, 'reset')))
            parts.append('\n')
        parts.append('\n\n')
    parts.append('class ')
    parts.append(str(context['class_name']))
    parts.append('(nn.Module):\n')
    parts.append(str(context['class_docstring']))
    parts.append('\n\n')
    items_4 = list(context['buffers'])
    for number_4, v_buffer in enumerate(items_4, 1):
        parts.append('    ')
        parts.append(str(v_buffer))
        parts.append(': Tensor\n')
        if (number_4 == len(items_4)):
            parts.append('\n')
    parts.append('    def __init__(self) -> None:\n        super().__init__()\n')
    if context['modules']:
        parts.append(str(context['modules']))
        parts.append('\n')
    parts.append('\n')
    parts.append(str(context['signature']))
    parts.append('\n')
    parts.append(str(context['forward']))
    parts.append('\n')
    items_5 = list(context['methods'])
    for number_5, v_method in enumerate(items_5, 1):
        parts.append('\n')
        parts.append(str(v_method))
        parts.append('\n')
    if context['reset']:
        parts.append('\n    def reset_state(self) -> None:\n        """Forgets what earlier batches have left behind."""\n')
        parts.append(str(context['reset']))
        parts.append('\n')
    parts.append('\n\n')
    parts.append(torch_training_py_j2(context))
    return "".join(parts)


def torch_training_py_j2(context: Context) -> str:
    parts: list[str] = []
    parts.append('Data = dict[str, Tensor]\n')
    parts.append(str(get(context['training'], 'arrays')))
    parts.append('\n')
    if get(context['training'], 'fixed_batch'):
        parts.append('BATCH_SIZE = ')
        parts.append(str(get(context['training'], 'batch_size')))
        parts.append('\n')
    v_rows = ('len(data["%s"])' % get(context['training'], 'first'))
    v_scaler = (', scaler' if (get(context['training'], 'half') == 'float16') else '')
    v_size = ('BATCH_SIZE' if get(context['training'], 'fixed_batch') else 'args.size')
    if get(context['training'], 'half'):
        parts.append('PRECISION = torch.')
        parts.append(str(get(context['training'], 'half')))
        parts.append('\n\n\n')
        parts.append(str(get(get(context['training'], 'heads'), 'mixed')))
        parts.append('\n    """The outputs in float32, computed in ')
        parts.append(str(get(context['training'], 'half')))
        parts.append(' where that is safe."""\n')
        if ((get(context['training'], 'half') == 'float16') and get(context['training'], 'lstm')):
            parts.append('    kind = inputs[0].device.type\n    # a CPU has no LSTM in float16\n    with torch.autocast(kind, PRECISION, enabled=kind != "cpu"):\n')
        else:
            parts.append('    with torch.autocast(inputs[0].device.type, PRECISION):\n')
        parts.append('        outputs: Data = model(*inputs')
        parts.append(str((', logits=logits' if get(context['training'], 'logits') else '')))
        parts.append(')\n')
        if get(context['training'], 'all_float'):
            parts.append('    return {name: y.float() for name, y in outputs.items()}\n')
        else:
            parts.append('    whole = {k: y for k, y in outputs.items() if not y.is_floating_point()}\n    return {k: y.float() for k, y in outputs.items()} | whole\n')
    if get(context['training'], 'trained'):
        if get(context['training'], 'penalty'):
            parts.append('\n\n')
            parts.append(str(get(get(context['training'], 'heads'), 'penalty')))
            parts.append('\n    """The penalties of the weights')
            parts.append(str((', and of what the last forward computed' if get(context['training'], 'activity') else '')))
            parts.append('."""\n')
            parts.append(str(get(context['training'], 'penalty')))
            parts.append('\n')
        parts.append('\n\n')
        parts.append(str(get(get(context['training'], 'heads'), 'measure')))
        parts.append('\n    """The loss')
        parts.append(str(('es' if get(context['training'], 'several') else '')))
        parts.append(str((' and the metrics' if get(context['training'], 'metrics') else '')))
        parts.append(' of a batch')
        parts.append(str(('; training minimises `loss`' if get(context['training'], 'several') else '')))
        parts.append('."""\n')
        parts.append(str(get(context['training'], 'measure')))
        parts.append('\n')
        if get(context['training'], 'results'):
            parts.append('\n\ndef results(means: Data) -> dict[str, float]:\n    """What is reported, from the means ')
            parts.append(str(('and totals ' if get(context['training'], 'pools') else '')))
            parts.append('over all samples."""\n')
            parts.append(str(get(context['training'], 'results')))
            parts.append('\n    return {name: float(mean) for name, mean in means.items()}\n')
        if get(context['training'], 'constraints'):
            parts.append('\n\n@torch.no_grad()\n')
            parts.append(str(get(get(context['training'], 'heads'), 'constrain')))
            parts.append('\n    """Puts the weights back to where their constraints want them."""\n')
            parts.append(str(get(context['training'], 'constraints')))
            parts.append('\n')
        items_1 = list(get(context['training'], 'schedules'))
        for number_1, v_schedule in enumerate(items_1, 1):
            parts.append('\n\ndef ')
            parts.append(str(get(v_schedule, 'name')))
            parts.append('(step: int) -> float:\n    """')
            parts.append(str(get(v_schedule, 'doc')))
            parts.append('"""\n')
            parts.append(str(get(v_schedule, 'body')))
            parts.append('\n')
        parts.append('\n\n')
        parts.append(str(get(get(context['training'], 'heads'), 'make_optimizer')))
        parts.append('\n')
        parts.append(str(get(context['training'], 'optimizer')))
        parts.append('\n')
        if (get(context['training'], 'half') == 'float16'):
            parts.append('\n\ndef make_scaler(device: torch.device | str) -> torch.amp.GradScaler:\n    """Scales losses as Keras does: small gradients would be 0 in float16."""\n    kind = torch.device(device).type\n    return torch.amp.GradScaler(kind, init_scale=2.0**15, growth_interval=2000)\n')
        if get(context['training'], 'watchers'):
            parts.append('\n\n')
            parts.append(str(get(get(context['training'], 'heads'), 'make_watchers')))
            parts.append('\n    """What looks at the numbers after each ')
            parts.append(str(('evaluation' if get(context['training'], 'steps') else 'epoch')))
            parts.append('."""\n')
            parts.append(str(get(context['training'], 'watchers')))
            parts.append('\n')
        if get(context['training'], 'steps'):
            parts.append('\n\n')
            parts.append(str(get(get(context['training'], 'heads'), 'batches')))
            parts.append('\n    """The samples, `size` at a time; `endless`, again and again')
            parts.append(str((' in a random order' if get(context['training'], 'shuffle') else '')))
            parts.append('."""\n    count = ')
            parts.append(str(v_rows))
            parts.append('\n    while True:\n')
            if get(context['training'], 'resets'):
                parts.append('        model.reset_state()\n')
            if get(context['training'], 'shuffle'):
                parts.append('        order = torch.randperm(count) if endless else torch.arange(count)\n        for rows in torch.split(order, size):\n')
            else:
                parts.append('        for rows in torch.split(torch.arange(count), size):\n')
            parts.append('            yield {name: tensor[rows] for name, tensor in data.items()}\n        if not endless:\n            return\n')
        parts.append('\n\n')
        parts.append(str(get(get(context['training'], 'heads'), 'run')))
        parts.append('\n    """The mean loss')
        parts.append(str(('es' if get(context['training'], 'several') else '')))
        parts.append(str((' and metrics' if get(context['training'], 'metrics') else '')))
        parts.append(' over the data; with an optimizer it trains."""\n    model.train(optimizer is not None)\n')
        if get(context['training'], 'steps'):
            parts.append('    count, sums = 0, Data()\n    for batch in batches:\n')
        else:
            if get(context['training'], 'resets'):
                parts.append('    model.reset_state()\n')
            parts.append('    count, sums = ')
            parts.append(str(('0' if get(context['training'], 'ends_on_nan') else v_rows)))
            parts.append(', Data()\n')
            if get(context['training'], 'shuffle'):
                if get(context['training'], 'ends_on_nan'):
                    parts.append('    samples = ')
                    parts.append(str(v_rows))
                    parts.append('\n    order = torch.randperm(samples) if model.training else torch.arange(samples)\n')
                else:
                    parts.append('    order = torch.randperm(count) if model.training else torch.arange(count)\n')
                parts.append('    for rows in torch.split(order, size):\n')
            else:
                parts.append('    for rows in torch.split(torch.arange(')
                parts.append(str((v_rows if get(context['training'], 'ends_on_nan') else 'count')))
                parts.append('), size):\n')
        parts.append('        with torch.set_grad_enabled(model.training):\n            values = measure(model, ')
        parts.append(str(('batch' if get(context['training'], 'steps') else '{k: x[rows] for k, x in data.items()}')))
        parts.append(')\n')
        if (not get(context['training'], 'learns')):
            pass
        elif (get(context['training'], 'half') == 'float16'):
            parts.append('        if optimizer is not None and scaler is not None:\n            optimizer.zero_grad()\n            torch.autograd.backward(scaler.scale(values["loss"]))\n            scaler.step(optimizer)  # unless a gradient is not finite\n            scaler.update()\n')
        else:
            parts.append('        if optimizer is not None:\n            optimizer.zero_grad()\n            torch.autograd.backward(values["loss"])\n            optimizer.step()\n')
        if get(context['training'], 'steps'):
            parts.append('        size = len(batch["')
            parts.append(str(get(context['training'], 'first')))
            parts.append('"])\n        count += size\n')
        elif get(context['training'], 'ends_on_nan'):
            parts.append('        count += len(rows)\n')
        v_gained = ('size' if get(context['training'], 'steps') else 'len(rows)')
        if get(context['training'], 'pools'):
            parts.append('        for name, value in values.items():  # counts add up, other numbers are means\n            factor = 1 if value.dim() else ')
            parts.append(str(v_gained))
            parts.append('\n            sums[name] = sums.get(name, 0) + factor * value.detach()\n')
            if get(context['training'], 'ends_on_nan'):
                parts.append('        if model.training and not torch.isfinite(sums["loss"]):\n            break\n')
            parts.append('    sums = {k: v.cpu().double() for k, v in sums.items()}\n    return results({k: v if v.dim() else v / count for k, v in sums.items()})\n')
        else:
            parts.append('        sums = {k: sums.get(k, 0) + v.detach() * ')
            parts.append(str(v_gained))
            parts.append(' for k, v in values.items()}\n')
            if get(context['training'], 'ends_on_nan'):
                parts.append('        if model.training and not torch.isfinite(sums["loss"]):\n            break\n')
            if get(context['training'], 'results'):
                parts.append('    return results({name: total / count for name, total in sums.items()})\n')
            else:
                parts.append('    return {name: float(total) / count for name, total in sums.items()}\n')
    parts.append('\n\n')
    parts.append(str(get(get(context['training'], 'heads'), 'load_data')))
    parts.append('\n    """Arrays of an .npz file; ValueError where one does not fit the model."""\n    with np.load(path) as file:\n        data = {name: torch.from_numpy(file[name]) for name in names}\n    count = max(1, *map(len, data.values()))\n    for name, x in data.items():\n        shape, kind = [count, *ARRAYS[name][0]], ARRAYS[name][1]\n        sizes = list(zip_longest(shape, x.shape, fillvalue=1))  # a missing axis is 1\n        if any(a and a != b for a, b in sizes) or not torch.can_cast(x.dtype, kind):\n            raise ValueError(f"{name} needs {kind} {shape}, not {x.dtype} {[*x.shape]}")\n        data[name] = x.to(device, kind).view([n for _, n in sizes[: len(shape)]])\n')
    if get(context['training'], 'fixed_batch'):
        parts.append('    if count % BATCH_SIZE:\n        raise ValueError(f"{path} must hold whole batches of {BATCH_SIZE} samples")\n')
    parts.append('    return data\n\n\nif __name__ == "__main__":\n    parser = argparse.ArgumentParser(description=__doc__)\n')
    if get(context['training'], 'trained'):
        parts.append('    parser.add_argument("command", choices=["train", "resume", "evaluate", "predict"])\n')
    else:
        parts.append('    parser.add_argument("command", choices=["predict"])\n')
    parts.append('    parser.add_argument("data", help="an .npz file with an array for each name")\n')
    if get(context['training'], 'trained'):
        parts.append('    parser.add_argument("--validation", help="another .npz file, to evaluate on")\n')
    parts.append('    parser.add_argument("--weights", default="model.pt", help="file of the weights")\n    parser.add_argument("-o", "--output", default="predictions.npz")\n')
    if get(context['training'], 'trained'):
        parts.append('    parser.add_argument("--')
        parts.append(str(('steps' if get(context['training'], 'steps') else 'epochs')))
        parts.append('", type=int, default=')
        parts.append(str((get(context['training'], 'steps') or get(context['training'], 'epochs'))))
        parts.append(')\n')
    if (not get(context['training'], 'fixed_batch')):
        parts.append('    parser.add_argument("--batch-size", dest="size", type=int, default=')
        parts.append(str(get(context['training'], 'batch_size')))
        parts.append(')\n')
    parts.append('    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")\n')
    if get(context['training'], 'trained'):
        parts.append('    parser.add_argument("--seed", type=int, default=')
        parts.append(str(('torch.seed()' if (get(context['training'], 'seed') is None) else get(context['training'], 'seed'))))
        parts.append(')\n')
    parts.append('    args = parser.parse_args()\n')
    if get(context['training'], 'trained'):
        parts.append('    torch.manual_seed(args.seed)\n')
    parts.append('    try:\n')
    if get(context['training'], 'double'):
        parts.append('        device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")\n')
    else:
        parts.append('        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"\n')
    parts.append('        model = ')
    parts.append(str(get(context['training'], 'class_name')))
    parts.append('().to(device)\n')
    if get(context['training'], 'learns'):
        parts.append('        optimizer = make_optimizer(model)\n')
    parts.append(str(get(context['training'], 'names')))
    parts.append('\n        data = load_data(args.data, names, device)\n')
    if get(context['training'], 'trained'):
        parts.append('        held = args.validation and load_data(args.validation, names, device)\n        if args.command != "train":\n')
        if get(context['training'], 'learns'):
            parts.append('            weights, state = torch.load(args.weights, device, weights_only=True)\n            model.load_state_dict(weights)\n            optimizer.load_state_dict(state)\n')
        else:
            parts.append('            model.load_state_dict(torch.load(args.weights, device, weights_only=True))\n')
        if get(context['training'], 'watches_validation'):
            parts.append('        if held is None and args.command in ("train", "resume"):\n            raise ValueError("')
            parts.append(str(get(context['training'], 'watches_validation')))
            parts.append(' is watched: give --validation FILE")\n')
        if get(context['training'], 'needs_package'):
            parts.append('        watchers = make_watchers() if args.command in ("train", "resume") else []\n')
    else:
        parts.append('        model.load_state_dict(torch.load(args.weights, device, weights_only=True))\n')
    parts.append('    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)\n        raise SystemExit(f"error: {error}") from None\n')
    if get(context['training'], 'trained'):
        parts.append('    if args.command in ("train", "resume"):\n')
        if get(context['training'], 'validation_split'):
            parts.append('        if held is None:\n            at = int(')
            parts.append(str(v_rows))
            parts.append(' * (1 - ')
            parts.append(str(get(context['training'], 'validation_split')))
            parts.append('))\n            held = {name: tensor[at:] for name, tensor in data.items()}\n            data = {name: tensor[:at] for name, tensor in data.items()}\n')
        if (not get(context['training'], 'learns')):
            parts.append('        optimizer = make_optimizer(model)\n')
        if (get(context['training'], 'watchers') and (not get(context['training'], 'needs_package'))):
            parts.append('        watchers = make_watchers()\n')
        if (get(context['training'], 'half') == 'float16'):
            parts.append('        scaler = make_scaler(device)\n')
        if get(context['training'], 'steps'):
            parts.append('        stream = batches(')
            parts.append(str(('model, ' if get(context['training'], 'resets') else '')))
            parts.append('data, ')
            parts.append(str(v_size))
            parts.append(', endless=True)\n        for start in range(0, args.steps, ')
            parts.append(str(get(context['training'], 'evaluate_every')))
            parts.append('):\n            end = min(start + ')
            parts.append(str(get(context['training'], 'evaluate_every')))
            parts.append(', args.steps)\n            logs = run(model, islice(stream, end - start), optimizer')
            parts.append(str(v_scaler))
            parts.append(')\n            if held is not None:\n                values = run(model, batches(')
            parts.append(str(('model, ' if get(context['training'], 'resets') else '')))
            parts.append('held, ')
            parts.append(str(v_size))
            parts.append('))\n                logs |= {f"val_{name}": value for name, value in values.items()}\n            print(f"step {end}:", *(f"{k} {v:.4f}" for k, v in logs.items()))\n')
        else:
            parts.append('        for epoch in range(args.epochs):\n            logs = run(model, data, ')
            parts.append(str(v_size))
            parts.append(', optimizer')
            parts.append(str(v_scaler))
            parts.append(')\n            if held is not None:\n                logs |= {f"val_{k}": v for k, v in run(model, held, ')
            parts.append(str(v_size))
            parts.append(').items()}\n            print(f"epoch {epoch + 1}:", *(f"{k} {v:.4f}" for k, v in logs.items()))\n')
        if get(context['training'], 'watchers'):
            if get(context['training'], 'steps'):
                parts.append('            look = start // ')
                parts.append(str(get(context['training'], 'evaluate_every')))
                parts.append('\n            stops = [w.after_epoch(look, logs, model, optimizer) for w in watchers]\n')
            else:
                parts.append('            stops = [w.after_epoch(epoch, logs, model, optimizer) for w in watchers]\n')
            parts.append('            if any(stops):\n                break\n')
        if get(context['training'], 'averages'):
            parts.append('        use_averages(optimizer)\n')
        if get(context['training'], 'watchers'):
            parts.append('        for watcher in watchers:\n            watcher.after_training(model)\n')
        if get(context['training'], 'learns'):
            parts.append('        torch.save((model.state_dict(), optimizer.state_dict()), args.weights)\n')
        else:
            parts.append('        torch.save(model.state_dict(), args.weights)\n')
        parts.append('    elif args.command == "evaluate":\n')
        if get(context['training'], 'steps'):
            parts.append('        logs = run(model, batches(')
            parts.append(str(('model, ' if get(context['training'], 'resets') else '')))
            parts.append('data, ')
            parts.append(str(v_size))
            parts.append('))\n        print(*(f"{k} {v:.4f}" for k, v in logs.items()))\n')
        else:
            parts.append('        print(*(f"{k} {v:.4f}" for k, v in run(model, data, ')
            parts.append(str(v_size))
            parts.append(').items()))\n')
        parts.append('    else:\n')
        if get(context['training'], 'resets'):
            parts.append('        model.reset_state()\n')
        parts.append('        with torch.no_grad():\n')
        parts.append(str(get(context['training'], 'parts')))
        parts.append('\n        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}\n        np.savez(args.output, allow_pickle=False, **outputs)\n')
    else:
        if get(context['training'], 'resets'):
            parts.append('    model.reset_state()\n')
        parts.append('    with torch.no_grad():\n')
        parts.append(str(get(context['training'], 'parts')))
        parts.append('\n    outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}\n    np.savez(args.output, allow_pickle=False, **outputs)\n')
    return "".join(parts)


TEMPLATES = {
    'torch/program.py.j2': torch_program_py_j2,
    'torch/training.py.j2': torch_training_py_j2,
}
SOURCES = {
    'torch/program.py.j2': '{{ docstring }}\n\n{{ imports }}\n\n\n{% for helper in helpers %}\n{{ helper }}\n\n\n{% endfor %}\n{% if init_function %}\n{{ init_function }}\n\n\n{% endif %}\n{% for item in blocks %}\nclass {{ item.name }}(nn.Module):\n{% if item.docstring %}\n{{ item.docstring }}\n\n{% endif %}\n{% for buffer in item.buffers %}\n    {{ buffer }}: Tensor\n{% if loop.last %}\n\n{% endif %}\n{% endfor %}\n{% if item.init %}\n{{ item.init }}\n        super().__init__()\n{{ item.modules }}\n\n{% endif %}\n{{ item.signature }}\n{{ item.forward }}\n{% if item.reset %}\n\n    def reset_state(self) -> None:\n        """Forgets what earlier batches have left behind."""\n{{ item.reset }}\n{% endif %}\n\n\n{% endfor %}\nclass {{ class_name }}(nn.Module):\n{{ class_docstring }}\n\n{% for buffer in buffers %}\n    {{ buffer }}: Tensor\n{% if loop.last %}\n\n{% endif %}\n{% endfor %}\n    def __init__(self) -> None:\n        super().__init__()\n{% if modules %}\n{{ modules }}\n{% endif %}\n\n{{ signature }}\n{{ forward }}\n{% for method in methods %}\n\n{{ method }}\n{% endfor %}\n{% if reset %}\n\n    def reset_state(self) -> None:\n        """Forgets what earlier batches have left behind."""\n{{ reset }}\n{% endif %}\n\n\n{% include "torch/training.py.j2" %}\n',
    'torch/training.py.j2': 'Data = dict[str, Tensor]\n{{ training.arrays }}\n{% if training.fixed_batch %}\nBATCH_SIZE = {{ training.batch_size }}\n{% endif %}\n{% set rows = \'len(data["%s"])\' % training.first %}\n{% set scaler = ", scaler" if training.half == "float16" else "" %}\n{% set size = "BATCH_SIZE" if training.fixed_batch else "args.size" %}\n{% if training.half %}\nPRECISION = torch.{{ training.half }}\n\n\n{{ training.heads.mixed }}\n    """The outputs in float32, computed in {{ training.half }} where that is safe."""\n{% if training.half == "float16" and training.lstm %}\n    kind = inputs[0].device.type\n    # a CPU has no LSTM in float16\n    with torch.autocast(kind, PRECISION, enabled=kind != "cpu"):\n{% else %}\n    with torch.autocast(inputs[0].device.type, PRECISION):\n{% endif %}\n        outputs: Data = model(*inputs{{ ", logits=logits" if training.logits else "" }})\n{% if training.all_float %}\n    return {name: y.float() for name, y in outputs.items()}\n{% else %}\n    whole = {k: y for k, y in outputs.items() if not y.is_floating_point()}\n    return {k: y.float() for k, y in outputs.items()} | whole\n{% endif %}\n{% endif %}\n{% if training.trained %}\n{% if training.penalty %}\n\n\n{{ training.heads.penalty }}\n    """The penalties of the weights{{ ", and of what the last forward computed" if training.activity else "" }}."""\n{{ training.penalty }}\n{% endif %}\n\n\n{{ training.heads.measure }}\n    """The loss{{ "es" if training.several else "" }}{{ " and the metrics" if training.metrics else "" }} of a batch{{ "; training minimises `loss`" if training.several else "" }}."""\n{{ training.measure }}\n{% if training.results %}\n\n\ndef results(means: Data) -> dict[str, float]:\n    """What is reported, from the means {{ "and totals " if training.pools }}over all samples."""\n{{ training.results }}\n    return {name: float(mean) for name, mean in means.items()}\n{% endif %}\n{% if training.constraints %}\n\n\n@torch.no_grad()\n{{ training.heads.constrain }}\n    """Puts the weights back to where their constraints want them."""\n{{ training.constraints }}\n{% endif %}\n{% for schedule in training.schedules %}\n\n\ndef {{ schedule.name }}(step: int) -> float:\n    """{{ schedule.doc }}"""\n{{ schedule.body }}\n{% endfor %}\n\n\n{{ training.heads.make_optimizer }}\n{{ training.optimizer }}\n{% if training.half == "float16" %}\n\n\ndef make_scaler(device: torch.device | str) -> torch.amp.GradScaler:\n    """Scales losses as Keras does: small gradients would be 0 in float16."""\n    kind = torch.device(device).type\n    return torch.amp.GradScaler(kind, init_scale=2.0**15, growth_interval=2000)\n{% endif %}\n{% if training.watchers %}\n\n\n{{ training.heads.make_watchers }}\n    """What looks at the numbers after each {{ "evaluation" if training.steps else "epoch" }}."""\n{{ training.watchers }}\n{% endif %}\n{% if training.steps %}\n\n\n{{ training.heads.batches }}\n    """The samples, `size` at a time; `endless`, again and again{{ " in a random order" if training.shuffle else "" }}."""\n    count = {{ rows }}\n    while True:\n{% if training.resets %}\n        model.reset_state()\n{% endif %}\n{% if training.shuffle %}\n        order = torch.randperm(count) if endless else torch.arange(count)\n        for rows in torch.split(order, size):\n{% else %}\n        for rows in torch.split(torch.arange(count), size):\n{% endif %}\n            yield {name: tensor[rows] for name, tensor in data.items()}\n        if not endless:\n            return\n{% endif %}\n\n\n{{ training.heads.run }}\n    """The mean loss{{ "es" if training.several else "" }}{{ " and metrics" if training.metrics else "" }} over the data; with an optimizer it trains."""\n    model.train(optimizer is not None)\n{% if training.steps %}\n    count, sums = 0, Data()\n    for batch in batches:\n{% else %}\n{% if training.resets %}\n    model.reset_state()\n{% endif %}\n    count, sums = {{ "0" if training.ends_on_nan else rows }}, Data()\n{% if training.shuffle %}\n{% if training.ends_on_nan %}\n    samples = {{ rows }}\n    order = torch.randperm(samples) if model.training else torch.arange(samples)\n{% else %}\n    order = torch.randperm(count) if model.training else torch.arange(count)\n{% endif %}\n    for rows in torch.split(order, size):\n{% else %}\n    for rows in torch.split(torch.arange({{ rows if training.ends_on_nan else "count" }}), size):\n{% endif %}\n{% endif %}\n        with torch.set_grad_enabled(model.training):\n            values = measure(model, {{ "batch" if training.steps else "{k: x[rows] for k, x in data.items()}" }})\n{% if not training.learns %}\n{% elif training.half == "float16" %}\n        if optimizer is not None and scaler is not None:\n            optimizer.zero_grad()\n            torch.autograd.backward(scaler.scale(values["loss"]))\n            scaler.step(optimizer)  # unless a gradient is not finite\n            scaler.update()\n{% else %}\n        if optimizer is not None:\n            optimizer.zero_grad()\n            torch.autograd.backward(values["loss"])\n            optimizer.step()\n{% endif %}\n{% if training.steps %}\n        size = len(batch["{{ training.first }}"])\n        count += size\n{% elif training.ends_on_nan %}\n        count += len(rows)\n{% endif %}\n{% set gained = "size" if training.steps else "len(rows)" %}\n{% if training.pools %}\n        for name, value in values.items():  # counts add up, other numbers are means\n            factor = 1 if value.dim() else {{ gained }}\n            sums[name] = sums.get(name, 0) + factor * value.detach()\n{% if training.ends_on_nan %}\n        if model.training and not torch.isfinite(sums["loss"]):\n            break\n{% endif %}\n    sums = {k: v.cpu().double() for k, v in sums.items()}\n    return results({k: v if v.dim() else v / count for k, v in sums.items()})\n{% else %}\n        sums = {k: sums.get(k, 0) + v.detach() * {{ gained }} for k, v in values.items()}\n{% if training.ends_on_nan %}\n        if model.training and not torch.isfinite(sums["loss"]):\n            break\n{% endif %}\n{% if training.results %}\n    return results({name: total / count for name, total in sums.items()})\n{% else %}\n    return {name: float(total) / count for name, total in sums.items()}\n{% endif %}\n{% endif %}\n{% endif %}\n\n\n{{ training.heads.load_data }}\n    """Arrays of an .npz file; ValueError where one does not fit the model."""\n    with np.load(path) as file:\n        data = {name: torch.from_numpy(file[name]) for name in names}\n    count = max(1, *map(len, data.values()))\n    for name, x in data.items():\n        shape, kind = [count, *ARRAYS[name][0]], ARRAYS[name][1]\n        sizes = list(zip_longest(shape, x.shape, fillvalue=1))  # a missing axis is 1\n        if any(a and a != b for a, b in sizes) or not torch.can_cast(x.dtype, kind):\n            raise ValueError(f"{name} needs {kind} {shape}, not {x.dtype} {[*x.shape]}")\n        data[name] = x.to(device, kind).view([n for _, n in sizes[: len(shape)]])\n{% if training.fixed_batch %}\n    if count % BATCH_SIZE:\n        raise ValueError(f"{path} must hold whole batches of {BATCH_SIZE} samples")\n{% endif %}\n    return data\n\n\nif __name__ == "__main__":\n    parser = argparse.ArgumentParser(description=__doc__)\n{% if training.trained %}\n    parser.add_argument("command", choices=["train", "resume", "evaluate", "predict"])\n{% else %}\n    parser.add_argument("command", choices=["predict"])\n{% endif %}\n    parser.add_argument("data", help="an .npz file with an array for each name")\n{% if training.trained %}\n    parser.add_argument("--validation", help="another .npz file, to evaluate on")\n{% endif %}\n    parser.add_argument("--weights", default="model.pt", help="file of the weights")\n    parser.add_argument("-o", "--output", default="predictions.npz")\n{% if training.trained %}\n    parser.add_argument("--{{ "steps" if training.steps else "epochs" }}", type=int, default={{ training.steps or training.epochs }})\n{% endif %}\n{% if not training.fixed_batch %}\n    parser.add_argument("--batch-size", dest="size", type=int, default={{ training.batch_size }})\n{% endif %}\n    parser.add_argument("--device", help="cpu, cuda, mps; the fastest if not given")\n{% if training.trained %}\n    parser.add_argument("--seed", type=int, default={{ "torch.seed()" if training.seed is none else training.seed }})\n{% endif %}\n    args = parser.parse_args()\n{% if training.trained %}\n    torch.manual_seed(args.seed)\n{% endif %}\n    try:\n{% if training.double %}\n        device = args.device or ("cuda" if torch.cuda.is_available() else "cpu")\n{% else %}\n        device = args.device or torch.accelerator.current_accelerator(True) or "cpu"\n{% endif %}\n        model = {{ training.class_name }}().to(device)\n{% if training.learns %}\n        optimizer = make_optimizer(model)\n{% endif %}\n{{ training.names }}\n        data = load_data(args.data, names, device)\n{% if training.trained %}\n        held = args.validation and load_data(args.validation, names, device)\n        if args.command != "train":\n{% if training.learns %}\n            weights, state = torch.load(args.weights, device, weights_only=True)\n            model.load_state_dict(weights)\n            optimizer.load_state_dict(state)\n{% else %}\n            model.load_state_dict(torch.load(args.weights, device, weights_only=True))\n{% endif %}\n{% if training.watches_validation %}\n        if held is None and args.command in ("train", "resume"):\n            raise ValueError("{{ training.watches_validation }} is watched: give --validation FILE")\n{% endif %}\n{% if training.needs_package %}\n        watchers = make_watchers() if args.command in ("train", "resume") else []\n{% endif %}\n{% else %}\n        model.load_state_dict(torch.load(args.weights, device, weights_only=True))\n{% endif %}\n    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)\n        raise SystemExit(f"error: {error}") from None\n{% if training.trained %}\n    if args.command in ("train", "resume"):\n{% if training.validation_split %}\n        if held is None:\n            at = int({{ rows }} * (1 - {{ training.validation_split }}))\n            held = {name: tensor[at:] for name, tensor in data.items()}\n            data = {name: tensor[:at] for name, tensor in data.items()}\n{% endif %}\n{% if not training.learns %}\n        optimizer = make_optimizer(model)\n{% endif %}\n{% if training.watchers and not training.needs_package %}\n        watchers = make_watchers()\n{% endif %}\n{% if training.half == "float16" %}\n        scaler = make_scaler(device)\n{% endif %}\n{% if training.steps %}\n        stream = batches({{ "model, " if training.resets else "" }}data, {{ size }}, endless=True)\n        for start in range(0, args.steps, {{ training.evaluate_every }}):\n            end = min(start + {{ training.evaluate_every }}, args.steps)\n            logs = run(model, islice(stream, end - start), optimizer{{ scaler }})\n            if held is not None:\n                values = run(model, batches({{ "model, " if training.resets else "" }}held, {{ size }}))\n                logs |= {f"val_{name}": value for name, value in values.items()}\n            print(f"step {end}:", *(f"{k} {v:.4f}" for k, v in logs.items()))\n{% else %}\n        for epoch in range(args.epochs):\n            logs = run(model, data, {{ size }}, optimizer{{ scaler }})\n            if held is not None:\n                logs |= {f"val_{k}": v for k, v in run(model, held, {{ size }}).items()}\n            print(f"epoch {epoch + 1}:", *(f"{k} {v:.4f}" for k, v in logs.items()))\n{% endif %}\n{% if training.watchers %}\n{% if training.steps %}\n            look = start // {{ training.evaluate_every }}\n            stops = [w.after_epoch(look, logs, model, optimizer) for w in watchers]\n{% else %}\n            stops = [w.after_epoch(epoch, logs, model, optimizer) for w in watchers]\n{% endif %}\n            if any(stops):\n                break\n{% endif %}\n{% if training.averages %}\n        use_averages(optimizer)\n{% endif %}\n{% if training.watchers %}\n        for watcher in watchers:\n            watcher.after_training(model)\n{% endif %}\n{% if training.learns %}\n        torch.save((model.state_dict(), optimizer.state_dict()), args.weights)\n{% else %}\n        torch.save(model.state_dict(), args.weights)\n{% endif %}\n    elif args.command == "evaluate":\n{% if training.steps %}\n        logs = run(model, batches({{ "model, " if training.resets else "" }}data, {{ size }}))\n        print(*(f"{k} {v:.4f}" for k, v in logs.items()))\n{% else %}\n        print(*(f"{k} {v:.4f}" for k, v in run(model, data, {{ size }}).items()))\n{% endif %}\n    else:\n{% if training.resets %}\n        model.reset_state()\n{% endif %}\n        with torch.no_grad():\n{{ training.parts }}\n        outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}\n        np.savez(args.output, allow_pickle=False, **outputs)\n{% else %}\n{% if training.resets %}\n    model.reset_state()\n{% endif %}\n    with torch.no_grad():\n{{ training.parts }}\n    outputs = {k: torch.cat([p[k] for p in parts]).cpu() for k in parts[0]}\n    np.savez(args.output, allow_pickle=False, **outputs)\n{% endif %}\n',
}
