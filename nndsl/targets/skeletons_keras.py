"""What `python -m nndsl.prepare` has made of the templates in templates/keras: do not edit it."""

from nndsl.targets.skeleton_parts import Context, get, indent


def keras_program_py_j2(context: Context) -> str:
    parts: list[str] = []
    parts.append(str(context['docstring']))
    parts.append('\n\n')
    parts.append(str(context['imports']))
    parts.append('\n\n\n')
    items_1 = list(context['helpers'])
    for number_1, v_helper in enumerate(items_1, 1):
        parts.append(str(v_helper))
        parts.append('\n\n\n')
    items_2 = list(context['classes'])
    for number_2, v_item in enumerate(items_2, 1):
        parts.append('class ')
        parts.append(str(get(v_item, 'name')))
        parts.append('(layers.Layer):\n')
        if get(v_item, 'docstring'):
            parts.append(str(get(v_item, 'docstring')))
            parts.append('\n\n')
        if get(v_item, 'init'):
            parts.append(str(get(v_item, 'init')))
            parts.append('\n        super().__init__(**kwargs)\n')
            parts.append(str(get(v_item, 'stored')))
            parts.append('\n\n')
        if get(v_item, 'build'):
            parts.append(str(get(v_item, 'build')))
            parts.append('\n')
            parts.append(str(get(v_item, 'build_body')))
            parts.append('\n\n')
        parts.append(str(get(v_item, 'call')))
        parts.append('\n')
        parts.append(str(get(v_item, 'call_body')))
        parts.append('\n')
        if get(v_item, 'shape'):
            parts.append('\n')
            parts.append(str(get(v_item, 'shape')))
            parts.append('\n')
            parts.append(str(get(v_item, 'shape_body')))
            parts.append('\n')
        if get(v_item, 'config'):
            parts.append('\n    def get_config(self) -> dict[str, Any]:\n')
            parts.append(str(get(v_item, 'config')))
        parts.append('\n\n')
    items_3 = list(context['blocks'])
    for number_3, v_item in enumerate(items_3, 1):
        parts.append(str(get(v_item, 'signature')))
        parts.append('\n')
        if get(v_item, 'docstring'):
            parts.append(str(get(v_item, 'docstring')))
            parts.append('\n')
        parts.append(str(get(v_item, 'body')))
        parts.append('\n\n\n')
    if context['policy']:
        parts.append('@dtype_policy("')
        parts.append(str(context['policy']))
        parts.append('")\n')
    if context['several']:
        parts.append('def build_models() -> dict[str, keras.Model]:\n')
        parts.append(str(context['model_docstring']))
        parts.append('\n')
        parts.append(str(context['build']))
        parts.append('\n\n\ndef build_model() -> keras.Model:\n    """The whole model; its parts share its weights, see `build_models`."""\n    return build_models()[')
        parts.append(str(context['model_name']))
        parts.append(']\n')
    else:
        parts.append('def build_model() -> keras.Model:\n')
        parts.append(str(context['model_docstring']))
        parts.append('\n')
        parts.append(str(context['build']))
        parts.append('\n')
    parts.append('\n\n')
    parts.append(keras_training_py_j2(context))
    return "".join(parts)


def keras_training_py_j2(context: Context) -> str:
    parts: list[str] = []
    def v_reset_layers(v_model: object) -> str:
        parts: list[str] = []
        if get(context['training'], 'state_inside'):
            parts.append('for layer in every_layer(')
            parts.append(str(v_model))
            parts.append('):\n')
        else:
            parts.append('for layer in ')
            parts.append(str(v_model))
            parts.append('.layers:\n')
        parts.append('    if getattr(layer, "stateful", False):\n')
        if get(context['training'], 'nested_states'):
            parts.append('        # reset_state() does not take the nested states of several cells\n        for state in keras.tree.flatten(layer.states):\n            state.assign(keras.ops.zeros_like(state))')
        else:
            parts.append('        layer.reset_state()')
        return "".join(parts)
    parts.append(str(get(context['training'], 'arrays')))
    parts.append('\n')
    parts.append(str(get(context['training'], 'input_names')))
    parts.append('\n')
    parts.append(str(get(context['training'], 'target_names')))
    parts.append('\n')
    if get(context['training'], 'weights'):
        parts.append(str(get(context['training'], 'weights_names')))
        parts.append('\n')
    parts.append('BATCH_SIZE = ')
    parts.append(str(get(context['training'], 'batch_size')))
    parts.append('\n')
    if get(context['training'], 'trained'):
        if get(context['training'], 'steps'):
            parts.append('STEPS = ')
            parts.append(str(get(context['training'], 'steps')))
            parts.append('\nEVALUATE_EVERY = ')
            parts.append(str(get(context['training'], 'evaluate_every')))
            parts.append('\n')
        else:
            parts.append('EPOCHS = ')
            parts.append(str(get(context['training'], 'epochs')))
            parts.append('\n')
        parts.append('SEED = ')
        parts.append(str(get(context['training'], 'seed')))
        parts.append('\n\n\ndef compile_model(model: keras.Model) -> None:\n    """Gives the model its optimizer, losses and metrics."""\n')
        parts.append(str(get(context['training'], 'compile')))
        parts.append('\n\n\nclass Batches(keras.utils.PyDataset):\n    """Batches of the data')
        parts.append(str((', in a new order each epoch if `rng` is given' if get(context['training'], 'shuffle') else '')))
        parts.append(str(('; only whole ones' if get(context['training'], 'fixed_batch') else '')))
        parts.append('."""\n\n')
        parts.append(str(get(context['training'], 'batches_head')))
        parts.append('\n        super().__init__()\n        self.data, self.size = data, size\n')
        if get(context['training'], 'class_weight'):
            parts.append('        self.weighted = weighted\n')
        parts.append('        self.count = len(data[INPUTS[0]])\n')
        if get(context['training'], 'shuffle'):
            parts.append('        self.rng, self.order = rng, np.arange(self.count)\n')
        parts.append('\n    def __len__(self) -> int:\n')
        if get(context['training'], 'fixed_batch'):
            parts.append('        return self.count // self.size\n')
        else:
            parts.append('        return (self.count + self.size - 1) // self.size\n')
        parts.append('\n    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], ...]:\n')
        if get(context['training'], 'shuffle'):
            parts.append('        chosen = self.order[index * self.size : (index + 1) * self.size]\n')
        else:
            parts.append('        chosen = slice(index * self.size, (index + 1) * self.size)\n')
        parts.append('        inputs = {name: self.data[name][chosen] for name in INPUTS}\n        targets = {name: self.data[name][chosen] for name in TARGETS}\n')
        if get(context['training'], 'untrained'):
            parts.append('        # fit asks for targets of every output, those without a loss too\n        count = len(inputs[INPUTS[0]])\n        targets.update({name: np.zeros(count) for name in ')
            parts.append(str(get(context['training'], 'untrained')))
            parts.append('})\n')
        if get(context['training'], 'class_weight'):
            parts.append('        if not self.weighted:\n            return inputs, targets\n')
            parts.append(str(get(context['training'], 'class_weight')))
            parts.append('\n        return inputs, targets, weights\n')
        elif get(context['training'], 'weights'):
            parts.append(str(get(context['training'], 'weights')))
            parts.append('\n        return inputs, targets, weights\n')
        else:
            parts.append('        return inputs, targets\n')
        if get(context['training'], 'shuffle'):
            parts.append('\n    def on_epoch_begin(self) -> None:\n        if self.rng is not None:\n            self.order = self.rng.permutation(self.count)\n')
    if get(context['training'], 'resets'):
        if get(context['training'], 'state_inside'):
            parts.append('\n\ndef every_layer(model: Any) -> Iterator[Any]:\n    """The layers of a model, those inside of others too."""\n    for layer in model.layers:\n        while isinstance(layer, layers.TimeDistributed):\n            layer = layer.layer\n        if isinstance(layer, keras.Model):\n            yield from every_layer(layer)\n        else:\n            yield layer\n')
        parts.append('\n\nclass ResetState(keras.callbacks.Callback):\n    """Lets stateful layers forget before each epoch, evaluation and prediction."""\n\n    def reset(self, *_: object) -> None:\n')
        parts.append(str(indent(v_reset_layers('self.model'), 8, True)))
        parts.append('\n\n    on_epoch_begin = on_test_begin = on_predict_begin = reset\n')
    if get(context['training'], 'trained'):
        if get(context['training'], 'several'):
            parts.append('\n\ndef numbers(logs: dict) -> dict[str, float]:\n    """The logs with a number of its own, name_0, name_1, …, for each of an array."""\n    found = {}\n    for name, value in logs.items():\n        if np.ndim(value):\n            found |= {f"{name}_{i}": float(x) for i, x in enumerate(value)}\n        else:\n            found[name] = value\n    return found\n')
        if get(context['training'], 'spreads'):
            parts.append('\n\nclass Numbers(keras.callbacks.Callback):\n    """Gives the callbacks behind it a number of its own for each of an array."""\n\n    def on_test_end(self, logs: dict) -> None:\n        found = numbers(logs)\n        logs.clear()\n        logs.update(found)\n\n    def on_epoch_end(self, _: int, logs: dict) -> None:\n        self.on_test_end(logs)\n\n    on_train_batch_end = on_epoch_end\n')
        if get(context['training'], 'callbacks'):
            parts.append('\n\ndef make_callbacks() -> list[keras.callbacks.Callback]:\n    """What looks at the numbers after each ')
            parts.append(str(('evaluation' if get(context['training'], 'steps') else 'epoch')))
            parts.append('."""\n')
            parts.append(str(get(context['training'], 'callbacks')))
            parts.append('\n')
        parts.append('\n\ndef train(\n    model: keras.Model,\n    data: dict[str, np.ndarray],\n    validation: dict[str, np.ndarray] | None = None,\n')
        if get(context['training'], 'steps'):
            parts.append('    steps: int = STEPS,\n')
        else:
            parts.append('    epochs: int = EPOCHS,\n')
        parts.append('    batch_size: int = BATCH_SIZE,\n')
        if get(context['training'], 'shuffle'):
            parts.append('    seed: int | None = SEED,\n')
        parts.append(') -> None:\n    """Trains the model; evaluates it on the validation data ')
        parts.append(str((('every %d steps' % get(context['training'], 'evaluate_every')) if get(context['training'], 'steps') else 'after every epoch')))
        parts.append('."""\n    if not model.compiled:\n        compile_model(model)\n')
        v_order = (str((', np.random.default_rng(seed)' if get(context['training'], 'shuffle') else '')) + str((', weighted=True' if get(context['training'], 'class_weight') else '')))
        parts.append('    batches = Batches(data, batch_size')
        parts.append(str(v_order))
        parts.append(')\n')
        if get(context['training'], 'callbacks'):
            items_1 = list(get(context['training'], 'folders'))
            for number_1, v_folder in enumerate(items_1, 1):
                parts.append('    Path(')
                parts.append(str(v_folder))
                parts.append(').mkdir(parents=True, exist_ok=True)\n')
        if get(context['training'], 'steps'):
            if get(context['training'], 'callbacks'):
                parts.append('    watchers = keras.callbacks.CallbackList(make_callbacks(), model=model)\n    model.stop_training = False\n    watchers.on_train_begin()\n    look = 0  # how often they have looked at the numbers\n')
            parts.append('    sums: dict[str, float] = {}\n    count = 0\n    for step in range(steps):\n        index = step % len(batches)\n')
            if get(context['training'], 'shuffle'):
                parts.append('        if index == 0:\n            batches.on_epoch_begin()\n')
            if get(context['training'], 'resets'):
                if (not get(context['training'], 'shuffle')):
                    parts.append('        if index == 0:\n')
                parts.append(str(indent(v_reset_layers('model'), 12, True)))
                parts.append('\n')
            parts.append('        batch = batches[index]\n        size = len(batch[0][INPUTS[0]])\n        values = model.train_on_batch(*batch, return_dict=True)  # of this batch alone\n')
            if get(context['training'], 'several'):
                parts.append('        values = numbers(values)\n')
            parts.append('        sums = {k: sums.get(k, 0) + v * size for k, v in values.items()}\n        count += size\n')
            if get(context['training'], 'ends_on_nan'):
                parts.append('        watchers.on_train_batch_end(index, values)\n')
            v_broken = ('model.stop_training or ' if get(context['training'], 'ends_on_nan') else '')
            parts.append('        if ')
            parts.append(str(v_broken))
            parts.append('(step + 1) % EVALUATE_EVERY == 0 or step + 1 == steps:\n            logs = {k: total / count for k, total in sums.items()}\n            if validation is not None:\n                values = evaluate(model, validation, batch_size)\n                logs.update({f"val_{name}": value for name, value in values.items()})\n            print(f"step {step + 1}:", *(f"{k} {v:.4f}" for k, v in logs.items()))\n            sums, count = {}, 0\n')
            if get(context['training'], 'callbacks'):
                parts.append('            watchers.on_epoch_end(look, logs)\n            look += 1\n        if model.stop_training:\n            break\n')
            if get(context['training'], 'averages'):
                parts.append('    model.optimizer.finalize_variable_values(model.trainable_variables)\n')
            if get(context['training'], 'callbacks'):
                parts.append('    watchers.on_train_end()\n')
        else:
            parts.append('    model.fit(\n        batches,\n        epochs=epochs,\n        shuffle=False,  # the batches have their own order\n        validation_data=validation and Batches(validation, batch_size),\n')
            if get(context['training'], 'resets'):
                parts.append('        callbacks=[ResetState()')
                parts.append(str((', *make_callbacks()' if get(context['training'], 'callbacks') else '')))
                parts.append('],\n')
            elif get(context['training'], 'callbacks'):
                parts.append('        callbacks=make_callbacks(),\n')
            parts.append('        verbose=2,\n    )\n')
        parts.append('\n\ndef evaluate(\n    model: keras.Model, data: dict[str, np.ndarray], batch_size: int = BATCH_SIZE\n) -> dict[str, float]:\n    """The losses and metrics of the data, by name."""\n    batches = Batches(data, batch_size)\n')
        if get(context['training'], 'resets'):
            parts.append('    reset = [ResetState()]\n')
            v_evaluated = 'model.evaluate(batches, return_dict=True, verbose=0, callbacks=reset)'
        else:
            v_evaluated = 'model.evaluate(batches, return_dict=True, verbose=0)'
        if get(context['training'], 'several'):
            parts.append('    logs = ')
            parts.append(str(v_evaluated))
            parts.append('\n    return numbers(logs)\n')
        else:
            parts.append('    return ')
            parts.append(str(v_evaluated))
            parts.append('\n')
    parts.append('\n\ndef load_data(path: str, names: tuple[str, ...]) -> dict[str, np.ndarray]:\n    """Arrays of an .npz file; ValueError where one does not fit the model."""\n    with np.load(path, allow_pickle=False) as file:\n        data = {name: file[name] for name in names}\n    count = max(1, *map(len, data.values()))\n    for name, array in data.items():\n        shape, dtype = ARRAYS[name]\n        wanted, given, kind = (count, *shape), array.shape, array.dtype\n        sizes = list(zip_longest(wanted, given, fillvalue=1))  # a missing axis is 1\n        fits = all(size in (None, n) for size, n in sizes)\n        if not fits or not np.can_cast(kind, dtype, "same_kind"):\n            raise ValueError(f"{name} must be {dtype} {wanted}, not {kind} {given}")\n        data[name] = array.reshape([n for _, n in sizes[: len(wanted)]]).astype(dtype)\n')
    if get(context['training'], 'fixed_batch'):
        parts.append('    if count % BATCH_SIZE:\n        raise ValueError(f"{path} must hold whole batches of {BATCH_SIZE} samples")\n')
    parts.append('    return data\n\n\ndef main() -> None:\n    parser = argparse.ArgumentParser(description=__doc__)\n')
    if get(context['training'], 'trained'):
        parts.append('    parser.add_argument("command", choices=["train", "resume", "evaluate", "predict"])\n')
    else:
        parts.append('    parser.add_argument("command", choices=["predict"])\n')
    parts.append('    parser.add_argument("data", help="an .npz file with an array for each name")\n')
    if get(context['training'], 'trained'):
        parts.append('    parser.add_argument("--validation", help="another .npz file, to evaluate on")\n')
    parts.append('    parser.add_argument("--weights", default="model.weights.h5")\n    parser.add_argument("-o", "--output", default="predictions.npz")\n')
    if get(context['training'], 'trained'):
        if get(context['training'], 'steps'):
            parts.append('    parser.add_argument("--steps", type=int, default=STEPS)\n')
        else:
            parts.append('    parser.add_argument("--epochs", type=int, default=EPOCHS)\n')
    if (not get(context['training'], 'fixed_batch')):
        parts.append('    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)\n')
    if get(context['training'], 'trained'):
        parts.append('    parser.add_argument("--seed", type=int, default=SEED)\n')
    parts.append('    args = parser.parse_args()\n')
    v_size = ('BATCH_SIZE' if get(context['training'], 'fixed_batch') else 'args.batch_size')
    if get(context['training'], 'trained'):
        parts.append('    if args.seed is not None:\n        keras.utils.set_random_seed(args.seed)\n')
    parts.append('    model = build_model()\n    try:\n')
    if get(context['training'], 'trained'):
        parts.append('        names = INPUTS if args.command == "predict" else INPUTS + TARGETS')
        parts.append(str((' + WEIGHTS' if get(context['training'], 'weights') else '')))
        parts.append('\n        data = load_data(args.data, names)\n        held = load_data(args.validation, names) if args.validation else None\n        if args.command == "resume":\n            compile_model(model)\n            # now the weights come with the state of the optimizer\n            model.optimizer.build(model.trainable_variables)\n        if args.command != "train":\n            model.load_weights(args.weights)\n')
        if get(context['training'], 'watches_validation'):
            parts.append('        if held is None and args.command in ("train", "resume"):\n            raise ValueError("')
            parts.append(str(get(context['training'], 'watches_validation')))
            parts.append(' is watched: give --validation FILE")\n')
    else:
        parts.append('        data = load_data(args.data, INPUTS)\n        model.load_weights(args.weights)\n')
    parts.append('    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)\n        raise SystemExit(f"error: {error}") from None\n')
    v_callbacks = (', callbacks=[ResetState()]' if get(context['training'], 'resets') else '')
    if get(context['training'], 'trained'):
        parts.append('    if args.command in ("train", "resume"):\n')
        if get(context['training'], 'validation_split'):
            parts.append('        if held is None:\n            at = int(len(data[INPUTS[0]]) * (1 - ')
            parts.append(str(get(context['training'], 'validation_split')))
            parts.append('))\n            held = {name: array[at:] for name, array in data.items()}\n            data = {name: array[:at] for name, array in data.items()}\n')
        parts.append('        train(model, data, held, args.')
        parts.append(str(('steps' if get(context['training'], 'steps') else 'epochs')))
        parts.append(', ')
        parts.append(str(v_size))
        parts.append(str((', args.seed' if get(context['training'], 'shuffle') else '')))
        parts.append(')\n        model.save_weights(args.weights)\n    elif args.command == "evaluate":\n        compile_model(model)\n        logs = evaluate(model, data, ')
        parts.append(str(v_size))
        parts.append(')\n        print(*(f"{k} {v:.4f}" for k, v in logs.items()))\n    else:\n        outputs = model.predict(data, ')
        parts.append(str(v_size))
        parts.append(', verbose=0')
        parts.append(str(v_callbacks))
        parts.append(')\n        np.savez(args.output, **outputs)\n')
    else:
        parts.append('    outputs = model.predict(data, ')
        parts.append(str(v_size))
        parts.append(', verbose=0')
        parts.append(str(v_callbacks))
        parts.append(')\n    np.savez(args.output, **outputs)\n')
    parts.append('\n\nif __name__ == "__main__":\n    main()\n')
    return "".join(parts)


TEMPLATES = {
    'keras/program.py.j2': keras_program_py_j2,
    'keras/training.py.j2': keras_training_py_j2,
}
SOURCES = {
    'keras/program.py.j2': '{{ docstring }}\n\n{{ imports }}\n\n\n{% for helper in helpers %}\n{{ helper }}\n\n\n{% endfor %}\n{% for item in classes %}\nclass {{ item.name }}(layers.Layer):\n{% if item.docstring %}\n{{ item.docstring }}\n\n{% endif %}\n{% if item.init %}\n{{ item.init }}\n        super().__init__(**kwargs)\n{{ item.stored }}\n\n{% endif %}\n{% if item.build %}\n{{ item.build }}\n{{ item.build_body }}\n\n{% endif %}\n{{ item.call }}\n{{ item.call_body }}\n{% if item.shape %}\n\n{{ item.shape }}\n{{ item.shape_body }}\n{% endif %}\n{% if item.config %}\n\n    def get_config(self) -> dict[str, Any]:\n{{ item.config }}{% endif %}\n\n\n{% endfor %}\n{% for item in blocks %}\n{{ item.signature }}\n{% if item.docstring %}\n{{ item.docstring }}\n{% endif %}\n{{ item.body }}\n\n\n{% endfor %}\n{% if policy %}\n@dtype_policy("{{ policy }}")\n{% endif %}\n{% if several %}\ndef build_models() -> dict[str, keras.Model]:\n{{ model_docstring }}\n{{ build }}\n\n\ndef build_model() -> keras.Model:\n    """The whole model; its parts share its weights, see `build_models`."""\n    return build_models()[{{ model_name }}]\n{% else %}\ndef build_model() -> keras.Model:\n{{ model_docstring }}\n{{ build }}\n{% endif %}\n\n\n{% include "keras/training.py.j2" %}\n',
    'keras/training.py.j2': '{% macro reset_layers(model) %}\n{% if training.state_inside %}\nfor layer in every_layer({{ model }}):\n{% else %}\nfor layer in {{ model }}.layers:\n{% endif %}\n    if getattr(layer, "stateful", False):\n{% if training.nested_states %}\n        # reset_state() does not take the nested states of several cells\n        for state in keras.tree.flatten(layer.states):\n            state.assign(keras.ops.zeros_like(state))\n{%- else %}\n        layer.reset_state()\n{%- endif %}\n{% endmacro %}\n{{ training.arrays }}\n{{ training.input_names }}\n{{ training.target_names }}\n{% if training.weights %}\n{{ training.weights_names }}\n{% endif %}\nBATCH_SIZE = {{ training.batch_size }}\n{% if training.trained %}\n{% if training.steps %}\nSTEPS = {{ training.steps }}\nEVALUATE_EVERY = {{ training.evaluate_every }}\n{% else %}\nEPOCHS = {{ training.epochs }}\n{% endif %}\nSEED = {{ training.seed }}\n\n\ndef compile_model(model: keras.Model) -> None:\n    """Gives the model its optimizer, losses and metrics."""\n{{ training.compile }}\n\n\nclass Batches(keras.utils.PyDataset):\n    """Batches of the data{{ ", in a new order each epoch if `rng` is given" if training.shuffle else "" }}{{ "; only whole ones" if training.fixed_batch else "" }}."""\n\n{{ training.batches_head }}\n        super().__init__()\n        self.data, self.size = data, size\n{% if training.class_weight %}\n        self.weighted = weighted\n{% endif %}\n        self.count = len(data[INPUTS[0]])\n{% if training.shuffle %}\n        self.rng, self.order = rng, np.arange(self.count)\n{% endif %}\n\n    def __len__(self) -> int:\n{% if training.fixed_batch %}\n        return self.count // self.size\n{% else %}\n        return (self.count + self.size - 1) // self.size\n{% endif %}\n\n    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], ...]:\n{% if training.shuffle %}\n        chosen = self.order[index * self.size : (index + 1) * self.size]\n{% else %}\n        chosen = slice(index * self.size, (index + 1) * self.size)\n{% endif %}\n        inputs = {name: self.data[name][chosen] for name in INPUTS}\n        targets = {name: self.data[name][chosen] for name in TARGETS}\n{% if training.untrained %}\n        # fit asks for targets of every output, those without a loss too\n        count = len(inputs[INPUTS[0]])\n        targets.update({name: np.zeros(count) for name in {{ training.untrained }}})\n{% endif %}\n{% if training.class_weight %}\n        if not self.weighted:\n            return inputs, targets\n{{ training.class_weight }}\n        return inputs, targets, weights\n{% elif training.weights %}\n{{ training.weights }}\n        return inputs, targets, weights\n{% else %}\n        return inputs, targets\n{% endif %}\n{% if training.shuffle %}\n\n    def on_epoch_begin(self) -> None:\n        if self.rng is not None:\n            self.order = self.rng.permutation(self.count)\n{% endif %}\n{% endif %}\n{% if training.resets %}\n{% if training.state_inside %}\n\n\ndef every_layer(model: Any) -> Iterator[Any]:\n    """The layers of a model, those inside of others too."""\n    for layer in model.layers:\n        while isinstance(layer, layers.TimeDistributed):\n            layer = layer.layer\n        if isinstance(layer, keras.Model):\n            yield from every_layer(layer)\n        else:\n            yield layer\n{% endif %}\n\n\nclass ResetState(keras.callbacks.Callback):\n    """Lets stateful layers forget before each epoch, evaluation and prediction."""\n\n    def reset(self, *_: object) -> None:\n{{ reset_layers("self.model") | indent(8, true) }}\n\n    on_epoch_begin = on_test_begin = on_predict_begin = reset\n{% endif %}\n{% if training.trained %}\n{% if training.several %}\n\n\ndef numbers(logs: dict) -> dict[str, float]:\n    """The logs with a number of its own, name_0, name_1, …, for each of an array."""\n    found = {}\n    for name, value in logs.items():\n        if np.ndim(value):\n            found |= {f"{name}_{i}": float(x) for i, x in enumerate(value)}\n        else:\n            found[name] = value\n    return found\n{% endif %}\n{% if training.spreads %}\n\n\nclass Numbers(keras.callbacks.Callback):\n    """Gives the callbacks behind it a number of its own for each of an array."""\n\n    def on_test_end(self, logs: dict) -> None:\n        found = numbers(logs)\n        logs.clear()\n        logs.update(found)\n\n    def on_epoch_end(self, _: int, logs: dict) -> None:\n        self.on_test_end(logs)\n\n    on_train_batch_end = on_epoch_end\n{% endif %}\n{% if training.callbacks %}\n\n\ndef make_callbacks() -> list[keras.callbacks.Callback]:\n    """What looks at the numbers after each {{ "evaluation" if training.steps else "epoch" }}."""\n{{ training.callbacks }}\n{% endif %}\n\n\ndef train(\n    model: keras.Model,\n    data: dict[str, np.ndarray],\n    validation: dict[str, np.ndarray] | None = None,\n{% if training.steps %}\n    steps: int = STEPS,\n{% else %}\n    epochs: int = EPOCHS,\n{% endif %}\n    batch_size: int = BATCH_SIZE,\n{% if training.shuffle %}\n    seed: int | None = SEED,\n{% endif %}\n) -> None:\n    """Trains the model; evaluates it on the validation data {{ "every %d steps" % training.evaluate_every if training.steps else "after every epoch" }}."""\n    if not model.compiled:\n        compile_model(model)\n{% set order = (", np.random.default_rng(seed)" if training.shuffle else "") ~ (", weighted=True" if training.class_weight else "") %}\n    batches = Batches(data, batch_size{{ order }})\n{% if training.callbacks %}\n{% for folder in training.folders %}\n    Path({{ folder }}).mkdir(parents=True, exist_ok=True)\n{% endfor %}\n{% endif %}\n{% if training.steps %}\n{% if training.callbacks %}\n    watchers = keras.callbacks.CallbackList(make_callbacks(), model=model)\n    model.stop_training = False\n    watchers.on_train_begin()\n    look = 0  # how often they have looked at the numbers\n{% endif %}\n    sums: dict[str, float] = {}\n    count = 0\n    for step in range(steps):\n        index = step % len(batches)\n{% if training.shuffle %}\n        if index == 0:\n            batches.on_epoch_begin()\n{% endif %}\n{% if training.resets %}\n{% if not training.shuffle %}\n        if index == 0:\n{% endif %}\n{{ reset_layers("model") | indent(12, true) }}\n{% endif %}\n        batch = batches[index]\n        size = len(batch[0][INPUTS[0]])\n        values = model.train_on_batch(*batch, return_dict=True)  # of this batch alone\n{% if training.several %}\n        values = numbers(values)\n{% endif %}\n        sums = {k: sums.get(k, 0) + v * size for k, v in values.items()}\n        count += size\n{% if training.ends_on_nan %}\n        watchers.on_train_batch_end(index, values)\n{% endif %}\n{% set broken = "model.stop_training or " if training.ends_on_nan else "" %}\n        if {{ broken }}(step + 1) % EVALUATE_EVERY == 0 or step + 1 == steps:\n            logs = {k: total / count for k, total in sums.items()}\n            if validation is not None:\n                values = evaluate(model, validation, batch_size)\n                logs.update({f"val_{name}": value for name, value in values.items()})\n            print(f"step {step + 1}:", *(f"{k} {v:.4f}" for k, v in logs.items()))\n            sums, count = {}, 0\n{% if training.callbacks %}\n            watchers.on_epoch_end(look, logs)\n            look += 1\n        if model.stop_training:\n            break\n{% endif %}\n{% if training.averages %}\n    model.optimizer.finalize_variable_values(model.trainable_variables)\n{% endif %}\n{% if training.callbacks %}\n    watchers.on_train_end()\n{% endif %}\n{% else %}\n    model.fit(\n        batches,\n        epochs=epochs,\n        shuffle=False,  # the batches have their own order\n        validation_data=validation and Batches(validation, batch_size),\n{% if training.resets %}\n        callbacks=[ResetState(){{ ", *make_callbacks()" if training.callbacks else "" }}],\n{% elif training.callbacks %}\n        callbacks=make_callbacks(),\n{% endif %}\n        verbose=2,\n    )\n{% endif %}\n\n\ndef evaluate(\n    model: keras.Model, data: dict[str, np.ndarray], batch_size: int = BATCH_SIZE\n) -> dict[str, float]:\n    """The losses and metrics of the data, by name."""\n    batches = Batches(data, batch_size)\n{% if training.resets %}\n    reset = [ResetState()]\n{% set evaluated = "model.evaluate(batches, return_dict=True, verbose=0, callbacks=reset)" %}\n{% else %}\n{% set evaluated = "model.evaluate(batches, return_dict=True, verbose=0)" %}\n{% endif %}\n{% if training.several %}\n    logs = {{ evaluated }}\n    return numbers(logs)\n{% else %}\n    return {{ evaluated }}\n{% endif %}\n{% endif %}\n\n\ndef load_data(path: str, names: tuple[str, ...]) -> dict[str, np.ndarray]:\n    """Arrays of an .npz file; ValueError where one does not fit the model."""\n    with np.load(path, allow_pickle=False) as file:\n        data = {name: file[name] for name in names}\n    count = max(1, *map(len, data.values()))\n    for name, array in data.items():\n        shape, dtype = ARRAYS[name]\n        wanted, given, kind = (count, *shape), array.shape, array.dtype\n        sizes = list(zip_longest(wanted, given, fillvalue=1))  # a missing axis is 1\n        fits = all(size in (None, n) for size, n in sizes)\n        if not fits or not np.can_cast(kind, dtype, "same_kind"):\n            raise ValueError(f"{name} must be {dtype} {wanted}, not {kind} {given}")\n        data[name] = array.reshape([n for _, n in sizes[: len(wanted)]]).astype(dtype)\n{% if training.fixed_batch %}\n    if count % BATCH_SIZE:\n        raise ValueError(f"{path} must hold whole batches of {BATCH_SIZE} samples")\n{% endif %}\n    return data\n\n\ndef main() -> None:\n    parser = argparse.ArgumentParser(description=__doc__)\n{% if training.trained %}\n    parser.add_argument("command", choices=["train", "resume", "evaluate", "predict"])\n{% else %}\n    parser.add_argument("command", choices=["predict"])\n{% endif %}\n    parser.add_argument("data", help="an .npz file with an array for each name")\n{% if training.trained %}\n    parser.add_argument("--validation", help="another .npz file, to evaluate on")\n{% endif %}\n    parser.add_argument("--weights", default="model.weights.h5")\n    parser.add_argument("-o", "--output", default="predictions.npz")\n{% if training.trained %}\n{% if training.steps %}\n    parser.add_argument("--steps", type=int, default=STEPS)\n{% else %}\n    parser.add_argument("--epochs", type=int, default=EPOCHS)\n{% endif %}\n{% endif %}\n{% if not training.fixed_batch %}\n    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)\n{% endif %}\n{% if training.trained %}\n    parser.add_argument("--seed", type=int, default=SEED)\n{% endif %}\n    args = parser.parse_args()\n{% set size = "BATCH_SIZE" if training.fixed_batch else "args.batch_size" %}\n{% if training.trained %}\n    if args.seed is not None:\n        keras.utils.set_random_seed(args.seed)\n{% endif %}\n    model = build_model()\n    try:\n{% if training.trained %}\n        names = INPUTS if args.command == "predict" else INPUTS + TARGETS{{ " + WEIGHTS" if training.weights else "" }}\n        data = load_data(args.data, names)\n        held = load_data(args.validation, names) if args.validation else None\n        if args.command == "resume":\n            compile_model(model)\n            # now the weights come with the state of the optimizer\n            model.optimizer.build(model.trainable_variables)\n        if args.command != "train":\n            model.load_weights(args.weights)\n{% if training.watches_validation %}\n        if held is None and args.command in ("train", "resume"):\n            raise ValueError("{{ training.watches_validation }} is watched: give --validation FILE")\n{% endif %}\n{% else %}\n        data = load_data(args.data, INPUTS)\n        model.load_weights(args.weights)\n{% endif %}\n    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)\n        raise SystemExit(f"error: {error}") from None\n{% set callbacks = ", callbacks=[ResetState()]" if training.resets else "" %}\n{% if training.trained %}\n    if args.command in ("train", "resume"):\n{% if training.validation_split %}\n        if held is None:\n            at = int(len(data[INPUTS[0]]) * (1 - {{ training.validation_split }}))\n            held = {name: array[at:] for name, array in data.items()}\n            data = {name: array[:at] for name, array in data.items()}\n{% endif %}\n        train(model, data, held, args.{{ "steps" if training.steps else "epochs" }}, {{ size }}{{ ", args.seed" if training.shuffle else "" }})\n        model.save_weights(args.weights)\n    elif args.command == "evaluate":\n        compile_model(model)\n        logs = evaluate(model, data, {{ size }})\n        print(*(f"{k} {v:.4f}" for k, v in logs.items()))\n    else:\n        outputs = model.predict(data, {{ size }}, verbose=0{{ callbacks }})\n        np.savez(args.output, **outputs)\n{% else %}\n    outputs = model.predict(data, {{ size }}, verbose=0{{ callbacks }})\n    np.savez(args.output, **outputs)\n{% endif %}\n\n\nif __name__ == "__main__":\n    main()\n',
}
